"""Numbers that say how two boxes lie to each other, and codes of places."""

import math

import torch
from mmdet.structures.bbox import bbox_overlaps
from torch import Tensor

from hqm_mmdet.structures import xyxy_to_cxcywh

EPS = 1e-10
# Thinner boxes count as so thick: the quotients below would leave the range of floats. Official code has no limit.
MIN_SIDE = 1.0  # pixels


def centres_and_sides(boxes: Tensor, sizes: Tensor) -> Tensor:
    """(B, N, 4) centre x, centre y, width, height relative to the image, of boxes in pixels; sides at least a pixel.

    Args:
        boxes (Tensor): (B, N, 4) x1, y1, x2, y2 in pixels.
        sizes (Tensor): (B, 2) width and height of the images, pixels.
    """
    boxes = _with_sides(boxes)
    return boxes / sizes.repeat(1, 2)[:, None]


def pairwise_numbers(boxes: Tensor, sizes: Tensor) -> Tensor:
    """36 numbers for every ordered pair of boxes of an image (UPT's ``compute_spatial_encodings``).

    18 numbers and their logarithms: both boxes, both areas, the quotient of the areas, both aspect ratios, IoU, and the
    second centre's distance to the right, left, below and above in sides of the first box.

    Args:
        boxes (Tensor): (B, N, 4) x1, y1, x2, y2 in pixels.
        sizes (Tensor): (B, 2) width and height of the images, pixels.

    Returns:
        Tensor: (B, N, N, 36), the first box along dimension 1.
    """
    x, y, w, h = _with_sides(boxes).unbind(-1)
    (x1, x2), (y1, y2), (w1, w2), (h1, h2) = (
        torch.broadcast_tensors(each[:, :, None], each[:, None]) for each in (x, y, w, h)
    )
    width, height = (each[:, None, None] for each in sizes.unbind(-1))
    dx, dy = (x2 - x1) / (w1 + EPS), (y2 - y1) / (h1 + EPS)
    numbers = [
        *(x1 / width, y1 / height, x2 / width, y2 / height),
        *(w1 / width, h1 / height, w2 / width, h2 / height),
        *(w1 * h1 / (height * width), w2 * h2 / (height * width), w2 * h2 / (w1 * h1 + EPS)),
        *(w1 / (h1 + EPS), w2 / (h2 + EPS), bbox_overlaps(boxes, boxes)),
        *(dx.clamp(min=0), (-dx).clamp(min=0), dy.clamp(min=0), (-dy).clamp(min=0)),
    ]
    numbers = torch.stack(numbers, -1)
    # A centre left of or above the image has a negative number; officially its logarithm is NaN.
    return torch.cat([numbers, (numbers.clamp(min=0) + EPS).log()], -1)


def sine_code(values: Tensor, num_feats: int = 128, temperature: float = 20.0) -> Tensor:
    """(..., num_feats) of numbers (...,) in [0, 1]: sine at even, cosine at odd places (PViC, temperature 20)."""
    powers = torch.arange(num_feats, device=values.device, dtype=values.dtype)
    periods = temperature ** (2 * (powers // 2) / num_feats)
    angles = 2 * math.pi * values[..., None] / periods
    return torch.stack([angles[..., 0::2].sin(), angles[..., 1::2].cos()], -1).flatten(-2)


def _with_sides(boxes: Tensor) -> Tensor:
    boxes = xyxy_to_cxcywh(boxes)
    return torch.cat([boxes[..., :2], boxes[..., 2:].clamp(min=MIN_SIDE)], -1)
