"""What a detector saw in an image: instances with a feature vector each, and feature maps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch.nn.functional as F
from mmengine.structures import InstanceData
from torch import Tensor

from hqm_mmdet.errors import UserError


class InstanceError(UserError, ValueError):
    """Instances that no pair can be made of; the message names the image, the field and the remedy."""


@dataclass(frozen=True, eq=False)
class Scene:
    """An image as a two-stage head gets it.

    Args:
        instances (InstanceData): ``bboxes`` (N, 4) x1, y1, x2, y2 in pixels of the network's input, ``labels`` (N,) of
            the data set, ``scores`` (N,), ``features`` (N, D).
        maps (tuple[Tensor]): feature maps (C, h, w), the coarsest last.
        padding (tuple[Tensor]): (h, w) bool of each map, True where the image is not.
        size (tuple[int, int]): height and width of the image without padding, pixels.
        name (str): of the image, for messages.
        pool (Callable, optional): features (n, D) of any boxes (n, 4) in pixels of the network's input, with labels
            (n,) of the data set. Default None: the detector has none but those of its instances, as DETR.
    """

    instances: InstanceData
    maps: tuple[Tensor, ...]
    padding: tuple[Tensor, ...]
    size: tuple[int, int]
    name: str = "an image"
    pool: Callable[[Tensor, Tensor], Tensor] | None = None

    def of(self, rows: Tensor) -> "Scene":
        """The same image with some of its instances."""
        return replace(self, instances=self.instances[rows])

    def checked(self) -> "Scene":
        """The same, if its numbers are finite.

        Raises:
            InstanceError: a box, score or feature is NaN or infinite.
        """
        for field in ("bboxes", "scores", "features"):
            finite = self.instances[field].isfinite()
            if not finite.all():
                row = int((~finite).nonzero()[0, 0])
                raise InstanceError(
                    f"{self.name}: {field} of instance {row} is not finite. The detector's weights or the detection "
                    "file are damaged; test the detector by itself."
                )
        return self


def padding_of(size: tuple[int, int], full: tuple[int, int], maps: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """(h, w) bool per map (C, h, w): which of its positions lie outside an image of ``size`` in a batch of ``full``.

    Sizes are height and width. Nearest neighbours of the pixels' mask, as DETR.
    """
    mask = maps[0].new_ones(1, 1, *full)
    mask[..., : size[0], : size[1]] = 0
    return tuple(F.interpolate(mask, each.shape[-2:])[0, 0].bool() for each in maps)


def of_equal_size(sizes: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Positions of equal sizes together, in order of first appearance."""
    groups: dict[tuple[int, int], list[int]] = {}
    for position, size in enumerate(sizes):
        groups.setdefault(tuple(size), []).append(position)
    return list(groups.values())
