"""CLIP's view of pairs: crops of an image in place of a feature map."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from torch import Tensor

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.registry import MODELS

VIEWS = ("union", "sub", "obj")


@MODELS.register_module()
class RawImage(BaseModule):
    """A backbone whose only map is the image, for encoders that look at pixels."""

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """(B, 3, H, W) as they are."""
        return (images,)


@dataclass(frozen=True, eq=False)
class CropFeatures:
    """Features of P pairs.

    Args:
        embeds (Tensor): (P, e), length 1.
        complete (Tensor): (P,) bool, all True.
    """

    embeds: Tensor
    complete: Tensor


@MODELS.register_module()
class CLIPCrops(BaseModule):
    """CLIP's image embedding of a pair: of crops around both boxes, the subject, and the object.

    Embeddings of the crops, of length 1 each, are added with weights. That a crop is what CLIP can tell a region by is
    ReCLIP's finding (Subramanian et al., ACL 2022), which crops boxes with a margin; that subject, object and union say
    more of an interaction than one of them, ADA-CM's (Lei et al., ICCV 2023). Boxes are embedded once, however many
    pairs they are in.

    Args:
        clip (dict): config of :class:`~hqm_mmdet.models.clip.FrozenCLIPVision`.
        weights (Mapping[str, float], optional): of ``union``, ``sub``, ``obj``; 0 leaves a crop out. Default: 1, 0, 0.
        margin (float): by which boxes are enlarged, share of their sides. Default: 0.1.
        square (bool): boxes grow to squares first, as CLIP sees squares; False: CLIP sees the middle of an oblong crop.
            Default: True.
        chunk_size (int): crops that CLIP sees at once. Default: 64.
        init_cfg (dict, optional): as in mmengine.

    Raises:
        ConfigError: an unknown crop, or no weight.
    """

    def __init__(
        self,
        clip: dict,
        weights: Mapping[str, float] | None = None,
        margin: float = 0.1,
        square: bool = True,
        chunk_size: int = 64,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        weights = dict(weights or dict(union=1.0))
        if set(weights) - set(VIEWS) or not any(weights.values()):
            raise ConfigError(f"CLIPCrops: weights must be of {VIEWS}, not all 0, got {weights}.")
        self.clip = MODELS.build({"type": "FrozenCLIPVision", **clip})
        self.weights = {name: weight for name, weight in weights.items() if weight}
        self.margin, self.square, self.chunk_size = margin, square, chunk_size

    @torch.no_grad()
    def forward(self, images: list[Tensor], pairs: list[InstanceData], complete=None) -> CropFeatures:
        """Features of the pairs of all images, one image after the other.

        Args:
            images (list[Tensor]): (3, H, W), RGB in 0..255.
            pairs (list[InstanceData]): ``sub_bboxes``, ``obj_bboxes`` (P, 4) in pixels.
            complete: not looked at, objects always are.
        """
        embeds = torch.cat([self._of_image(*image) for image in zip(images, pairs, strict=True)])
        return CropFeatures(embeds, torch.ones(len(embeds), dtype=torch.bool, device=embeds.device))

    def in_chunks(self, image: Tensor, pairs: InstanceData) -> Iterator[CropFeatures]:
        """Features of an image's pairs; what is bounded here are the crops that CLIP sees at once."""
        yield self([image], [pairs])

    def _of_image(self, image: Tensor, pairs: InstanceData) -> Tensor:
        if not len(pairs):
            return image.new_zeros(0, self.clip.proj.shape[1])
        boxes = dict(sub=pairs.sub_bboxes, obj=pairs.obj_bboxes, union=_union(pairs.sub_bboxes, pairs.obj_bboxes))
        total = sum(weight * self._embedded(image, boxes[name]) for name, weight in self.weights.items())
        return F.normalize(total, dim=-1)

    def _embedded(self, image: Tensor, boxes: Tensor) -> Tensor:
        """(n, e) of length 1."""
        distinct, rows = torch.unique(boxes, dim=0, return_inverse=True)
        found = []
        for part in distinct.split(self.chunk_size):
            crops = [image[:, y1:y2, x1:x2] for x1, y1, x2, y2 in self.regions(part, image.shape[1:]).tolist()]
            found.append(self.clip.embed(self.clip.views(crops)))
        return F.normalize(torch.cat(found), dim=-1)[rows]

    def regions(self, boxes: Tensor, size: tuple[int, int]) -> Tensor:
        """(n, 4) long x1, y1, x2, y2 of the crops of boxes, at least a pixel each; ``size`` is (height, width)."""
        centre, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) * (1 + 2 * self.margin)
        limit = boxes.new_tensor([size[1], size[0]])
        if self.square:
            sides = sides.amax(1, keepdim=True).expand(-1, 2)
        sides = torch.minimum(sides, limit)
        low = torch.minimum((centre - sides / 2).clamp(min=0), limit - sides)  # moved inside, not cut, where it fits
        low = torch.minimum(low.round(), limit - 1)
        high = torch.minimum(torch.maximum((low + sides).round(), low + 1), limit)
        return torch.cat([low, high], 1).long()


def _union(first: Tensor, second: Tensor) -> Tensor:
    """(n, 4) smallest boxes around two."""
    return torch.cat([torch.minimum(first[:, :2], second[:, :2]), torch.maximum(first[:, 2:], second[:, 2:])], 1)
