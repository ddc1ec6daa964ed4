"""Shift ground-truth boxes so that they cover only a part of the truth (HQM, section 3.2)."""

import math

import torch
from torch import Tensor

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.registry import TASK_UTILS
from hqm_mmdet.structures import cxcywh_to_xyxy, xyxy_to_cxcywh


@TASK_UTILS.register_module()
class IoUBoxShift:
    """Move every box in a random direction, exactly as far as a random IoU asks for.

    The paper wants IoUs of 0.4 to 0.6 and does not say how. Here the IoU is drawn uniformly, the direction uniformly,
    and the distance found by a search along the path, with the moved box clipped to the image. The overlap falls
    continuously along every path, so every box gets its IoU: boxes at the border, tiny ones and those as large as the
    image too. (The released code rejects random candidates for the whole batch at once, see :class:`ReleasedBoxShift`.)

    Args:
        iou_range (tuple[float, float]): wanted IoU with the truth, within (0, 1]. Default: (0.4, 0.6).
        scale_range (tuple[float, float]): the box is rescaled along the path as well, at its end by a factor drawn
            log-uniformly from this range. The released code uses 0.6 to 1.36. Default: no rescaling, as in the paper.

    Raises:
        ConfigError: a range is empty or outside of its limits.
    """

    # Each round looks at PARTS points of the bracket at once and keeps one part; a halving takes as many small device
    # operations as such a round, so few rounds of many points are faster. 64 ** 4 parts: float32 resolves no more.
    PARTS, ROUNDS = 64, 4

    def __init__(self, iou_range: tuple[float, float] = (0.4, 0.6), scale_range: tuple[float, float] = (1.0, 1.0)):
        if not 0 < iou_range[0] <= iou_range[1] <= 1:
            raise ConfigError(f"iou_range must be ordered and within (0, 1], got {iou_range}.")
        if not 0 < scale_range[0] <= scale_range[1]:
            raise ConfigError(f"scale_range must be ordered and positive, got {scale_range}.")
        self.iou_range = iou_range
        self.scale_range = scale_range

    @torch.no_grad()
    def __call__(self, sub_boxes: Tensor, obj_boxes: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
        """Shift subjects and objects independently; zero boxes (absent objects, padding) stay zero.

        Args:
            sub_boxes, obj_boxes (Tensor): (B, P, 4) centre x, centre y, width, height relative to the image.
            sizes (Tensor): (B, 4) width, height, width, height of the images in pixels; not needed here.

        Returns:
            tuple[Tensor, Tensor]: shifted boxes, inside the image.
        """
        return self.shift(torch.stack([sub_boxes, obj_boxes])).unbind()

    def shift(self, boxes: Tensor) -> Tensor:
        """(..., 4) -> (..., 4)."""
        wanted, turn, grow = torch.rand(3, *boxes.shape[:-1], dtype=torch.float64, device=boxes.device)
        low, high = self.iou_range
        wanted = low + (high - low) * wanted
        angle = 2 * torch.pi * turn
        direction = torch.stack([angle.cos(), angle.sin()], -1)
        direction = direction / direction.abs().amax(-1, keepdim=True)  # the path's end is one side length away
        low, high = (math.log(factor) for factor in self.scale_range)
        return self.find(boxes, wanted, direction, low + (high - low) * grow)

    def find(self, boxes: Tensor, wanted: Tensor, direction: Tensor, log_scale: Tensor) -> Tensor:
        """The place on each path where the IoU with the truth is the wanted one.

        Args:
            boxes (Tensor): (..., 4) cxcywh relative to the image; zero boxes are returned as they are.
            wanted (Tensor): (...,) IoU.
            direction (Tensor): (..., 2) x and y in side lengths, the larger one 1 or -1.
            log_scale (Tensor): (...,) logarithm of the factor on the sides at the path's end.

        Returns:
            Tensor: (..., 4).
        """
        # Double precision: tiny boxes have tiny areas.
        centre, size = boxes.double()[..., None].split(2, -2)  # (..., 2, 1): x and y; candidates are the last dimension
        path = centre, size, direction[..., None], log_scale[..., None, None]
        low, high = _clipped(*path, torch.zeros_like(centre))  # the truth
        wanted, area = wanted[..., None], (high - low).prod(-2)
        steps = torch.arange(1, self.PARTS, dtype=torch.float64, device=boxes.device) / self.PARTS
        near, part = torch.zeros_like(wanted), 1.0
        for _ in range(self.ROUNDS):
            low_moved, high_moved = _clipped(*path, (near + part * steps)[..., None, :])
            both = (torch.minimum(high, high_moved) - torch.maximum(low, low_moved)).clamp(min=0).prod(-2)
            iou = both / (area + (high_moved - low_moved).prod(-2) - both)
            # The overlap falls along the path, so the number of candidates that are too near tells the part.
            near = near + part / self.PARTS * (iou > wanted).sum(-1, keepdim=True)
            part /= self.PARTS
        low, high = _clipped(*path, (near + part / 2)[..., None, :])
        shifted = torch.cat([(low + high) / 2, high - low], -2).squeeze(-1).to(boxes.dtype)
        return torch.where((boxes[..., 2:] > 0).all(-1, keepdim=True), shifted, boxes)


def _clipped(
    centre: Tensor, size: Tensor, direction: Tensor, log_scale: Tensor, distance: Tensor
) -> tuple[Tensor, Tensor]:
    """Corners (..., 2, n) of boxes moved by ``distance`` (..., 1, n) side lengths and rescaled in proportion, clipped
    to the image; ``centre``, ``size`` and ``direction`` (..., 2, 1), ``log_scale`` (..., 1, 1)."""
    moved = centre + direction * size * distance
    half = size / 2 * (log_scale * distance).exp()
    return (moved - half).clamp(0, 1), (moved + half).clamp(0, 1)


@TASK_UTILS.register_module()
class ReleasedBoxShift:
    """The released code's way: draw candidates for all boxes of the batch until enough of them pass at once.

    An attempt moves each box by -10..9 steps of 0.04 of its sides in x and y, scales both sides by 1 + 0.04 (-10..9)
    and clips. If at least 70 % of the boxes have an IoU inside the open range, those are shifted and the others stay
    unshifted; after 40 attempts nothing is shifted. Needs one host synchronisation per attempt. Source: HQM,
    described in the project's reference notes; only for comparison with published checkpoints.
    """

    STEP, ATTEMPTS, SHARE = 0.04, 40, 0.7

    def __init__(self, iou_range: tuple[float, float] = (0.4, 0.6)):
        self.iou_range = iou_range

    @torch.no_grad()
    def __call__(self, sub_boxes: Tensor, obj_boxes: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
        """As :class:`IoUBoxShift`, but a pair with an absent object keeps its subject too."""
        whole = ((sub_boxes != 0).any(-1) & (obj_boxes != 0).any(-1))[..., None]
        return tuple(torch.where(whole, self.shift(boxes * whole, sizes), boxes) for boxes in (sub_boxes, obj_boxes))

    def shift(self, boxes: Tensor, sizes: Tensor) -> Tensor:
        """(B, P, 4) -> (B, P, 4); zero boxes take no part."""
        present = (boxes != 0).any(-1)
        for _ in range(self.ATTEMPTS):
            draws = torch.randint(-10, 10, (*boxes.shape[:-1], 3), device=boxes.device)
            moved, passed = self.candidates(boxes, draws, sizes)
            passed &= present
            if passed.sum() >= self.SHARE * present.sum():
                return torch.where(passed[..., None], moved, boxes)
        return boxes

    def candidates(self, boxes: Tensor, draws: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
        """Apply drawn integers.

        Args:
            boxes (Tensor): (B, P, 4) cxcywh relative to the image.
            draws (Tensor): (B, P, 3) long, -10..9: for the scale, the shift in y, the shift in x.
            sizes (Tensor): (B, 4) width, height, width, height in pixels; the last pixel is the border.

        Returns:
            tuple[Tensor, Tensor]: (B, P, 4) candidates, and (B, P) bool, whether their IoU lies in the range.
        """
        steps = self.STEP * draws
        centre = boxes[..., :2] + steps[..., [2, 1]] * boxes[..., 2:]
        corners = cxcywh_to_xyxy(torch.cat([centre, boxes[..., 2:] * (1 + steps[..., :1])], -1))
        last_pixel = (1 - 1 / sizes)[:, None]
        moved = xyxy_to_cxcywh(torch.minimum(corners.clamp(min=0), last_pixel))
        iou = aligned_iou(boxes, moved)
        return moved, (iou > self.iou_range[0]) & (iou < self.iou_range[1])


@TASK_UTILS.register_module()
class JitterBoxShift:
    """The released CDN combination's way: move each box and change its sides by a little, clip the four numbers.

    Centres move by up to 0.1, sides change by up to 0.2 of the sides, uniformly. The release then draws again until 70
    per cent of the boxes have an IoU between 0.6 and 1; this draw has 0.64 at least wherever nothing is clipped, so
    that test is left out. Source: HQM, described in the project's reference notes; only for comparison.
    """

    STRENGTH = 0.2

    @torch.no_grad()
    def __call__(self, sub_boxes: Tensor, obj_boxes: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
        """As :class:`IoUBoxShift`; zero boxes stay zero."""
        return self.move(sub_boxes, torch.rand_like(sub_boxes)), self.move(obj_boxes, torch.rand_like(obj_boxes))

    def move(self, boxes: Tensor, draws: Tensor) -> Tensor:
        """Boxes (..., 4) cxcywh relative to the image and numbers (..., 4) in [0, 1] -> (..., 4)."""
        width, height = boxes[..., 2:].unbind(-1)
        reach = torch.stack([width / 2, height / 2, width, height], -1)
        return (boxes + (2 * draws - 1) * self.STRENGTH * reach).clamp(0, 1)


def aligned_iou(a: Tensor, b: Tensor) -> Tensor:
    """(...,) IoU of corresponding boxes (..., 4) cxcywh, in double precision: tiny boxes have tiny areas."""
    a, b = cxcywh_to_xyxy(a.double()), cxcywh_to_xyxy(b.double())
    sides = torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])
    both = sides.clamp(min=0).prod(-1)
    area_a, area_b = ((box[..., 2:] - box[..., :2]).prod(-1) for box in (a, b))
    return both / (area_a + area_b - both).clamp(min=1e-12)  # two zero boxes have IoU 0
