"""Positive pairs in several versions, as a detector might find them."""

import torch
from torch import Tensor

from hqm_mmdet.registry import TASK_UTILS

SCALE_STEPS = 10  # the sides change by up to 10 per cent
SHIFT_UNIT = 0.1  # a drawn shift counts tenths of a pixel, and is at most as large as the side in pixels


def jittered_boxes(boxes: Tensor, draws: Tensor, size: tuple[int, int], min_iou: float = 0.7) -> tuple[Tensor, Tensor]:
    """Apply drawn integers to boxes.

    Source: ``Augmented_box`` of iCAN and TIN. Arithmetic in double precision.

    Args:
        boxes (Tensor): (N, 4) x1, y1, x2, y2 in pixels of the image.
        draws (Tensor): (N, T, 3) long, T tries each: percent of both sides, shift in y, shift in x in tenths of a
            pixel.
        size (tuple[int, int]): height and width of the image, pixels; results are clipped to it.
        min_iou (float): overlap with the original that must be exceeded, of inclusive pixel coordinates. Default: 0.7.

    Returns:
        tuple[Tensor, Tensor]: (N, T, 4) float64; (N, T) bool, which tries overlap enough.
    """
    boxes, draws = boxes.double()[:, None], draws.double()
    centre, sides = (boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]
    centre = centre + SHIFT_UNIT * draws[..., [2, 1]]
    sides = sides * (1 + draws[..., :1] / 100)
    limit = boxes.new_tensor([size[1], size[0]]).repeat(2)
    moved = torch.minimum(torch.cat([centre - sides / 2, centre + sides / 2], -1).clamp(min=0), limit)
    return moved, _iou(boxes, moved) > min_iou


@TASK_UTILS.register_module()
class PairJitter:
    """Draws jittered copies of pairs; subject and object move independently.

    Args:
        num_copies (int): copies of all pairs of an image together, shared out evenly, the rest to the last pair.
            Default: 15.
        max_tries (int): draws per box; of those that overlap enough the first ones are taken. Default: 150.
        min_iou (float): see :func:`jittered_boxes`. Default: 0.7.
    """

    def __init__(self, num_copies: int = 15, max_tries: int = 150, min_iou: float = 0.7):
        self.num_copies, self.max_tries, self.min_iou = num_copies, max_tries, min_iou

    def __call__(self, sub_boxes: Tensor, obj_boxes: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
        """Each pair, followed by its copies. A box that can't be moved without losing overlap yields fewer of them.

        Args:
            sub_boxes, obj_boxes (Tensor): (P, 4) x1, y1, x2, y2 in pixels of the image.
            size (tuple[int, int]): height and width of the image, pixels.

        Returns:
            tuple[Tensor, Tensor, Tensor]: subjects and objects (N, 4), P <= N <= P + num_copies; (N,) long, the pair
            that each row is a version of.
        """
        counts = torch.tensor(self.copies_of(len(sub_boxes)), dtype=torch.long, device=sub_boxes.device)
        (subs, found_subs), (objs, found_objs) = (self._versions(boxes, size) for boxes in (sub_boxes, obj_boxes))
        copies = torch.minimum(torch.minimum(found_subs, found_objs), counts)
        taken = torch.arange(subs.shape[1], device=copies.device) <= copies[:, None]  # the original comes first
        return subs[taken], objs[taken], taken.nonzero()[:, 0]

    def copies_of(self, num_pairs: int) -> list[int]:
        """How many copies each of the pairs gets."""
        if not num_pairs:
            return []
        share = self.num_copies // num_pairs
        return [share] * (num_pairs - 1) + [self.num_copies - share * (num_pairs - 1)]

    def draw(self, boxes: Tensor) -> Tensor:
        """(N, T, 3) random integers for :func:`jittered_boxes`."""
        sides = (boxes[:, 2:] - boxes[:, :2]).floor().clamp(min=0)
        limits = torch.cat([torch.full_like(sides[:, :1], SCALE_STEPS), sides[:, [1]], sides[:, [0]]], 1)[:, None]
        uniform = torch.rand(len(boxes), self.max_tries, 3, device=boxes.device)
        return (uniform * (2 * limits + 1)).floor().minimum(2 * limits).long() - limits.long()

    def _versions(self, boxes: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """(N, 1 + T, 4) every box, then its accepted versions in the order they were drawn; (N,) how many these are."""
        moved, accepted = jittered_boxes(boxes, self.draw(boxes), size, self.min_iou)
        order = (~accepted).long().argsort(dim=1, stable=True)[..., None].expand_as(moved)
        return torch.cat([boxes[:, None], moved.gather(1, order).to(boxes.dtype)], 1), accepted.sum(1)


def _iou(a: Tensor, b: Tensor) -> Tensor:
    """(...,) IoU of (..., 4) boxes, inclusive pixel coordinates."""
    area_a, area_b = ((boxes[..., 2:] - boxes[..., :2] + 1).prod(-1) for boxes in (a, b))
    sides = torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2]) + 1
    intersection = sides.clamp(min=0).prod(-1)
    return intersection / (area_a + area_b - intersection)
