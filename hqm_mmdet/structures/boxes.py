"""Box helpers on tensors. Frames and units are the caller's; only the parametrisation changes here."""

import torch
from mmdet.structures.bbox import bbox_overlaps
from torch import Tensor


def cxcywh_to_xyxy(boxes: Tensor) -> Tensor:
    """(..., 4) centre x, centre y, width, height -> (..., 4) x1, y1, x2, y2."""
    centre, size = boxes[..., :2], boxes[..., 2:]
    return torch.cat([centre - size / 2, centre + size / 2], dim=-1)


def xyxy_to_cxcywh(boxes: Tensor) -> Tensor:
    """(..., 4) x1, y1, x2, y2 -> (..., 4) centre x, centre y, width, height."""
    low, high = boxes[..., :2], boxes[..., 2:]
    return torch.cat([(low + high) / 2, high - low], dim=-1)


def pair_iou(sub_a: Tensor, obj_a: Tensor, sub_b: Tensor, obj_b: Tensor) -> Tensor:
    """Overlap of pairs: the smaller of the subject's and the object's IoU.

    Args:
        sub_a, obj_a (Tensor): (N, 4) boxes x1, y1, x2, y2 of one set of pairs.
        sub_b, obj_b (Tensor): (M, 4) boxes of the other set, same frame.

    Returns:
        Tensor: (N, M) in [0, 1].
    """
    return torch.minimum(bbox_overlaps(sub_a, sub_b), bbox_overlaps(obj_a, obj_b))
