"""Box helpers on tensors. Frames and units are the caller's; only the parametrisation changes here."""

import torch
from mmdet.structures.bbox import bbox_overlaps
from torch import Tensor


def cxcywh_to_xyxy(boxes: Tensor) -> Tensor:
    """(..., 4) centre x, centre y, width, height -> (..., 4) x1, y1, x2, y2."""
    centre, size = boxes.split(2, -1)  # one gradient, where two slices would have one each
    half = size / 2
    return torch.cat([centre - half, centre + half], dim=-1)


def xyxy_to_cxcywh(boxes: Tensor) -> Tensor:
    """(..., 4) x1, y1, x2, y2 -> (..., 4) centre x, centre y, width, height."""
    low, high = boxes.split(2, -1)
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


def box_giou(a: Tensor, b: Tensor, eps: float = 1e-6) -> Tensor:
    """Generalized IoU of corresponding boxes (Rezatofighi et al., CVPR 2019).

    The same values as mmdet's ``bbox_overlaps(mode="giou")``, which makes a tensor of one number on the host in every
    call, for which a GPU waits, and takes twice as many operations.

    Args:
        a, b (Tensor): (..., 4) boxes x1, y1, x2, y2 of shapes that broadcast.
        eps (float): smallest area that is divided by. Default: 1e-6.

    Returns:
        Tensor: (...,) in [-1, 1].
    """
    (a_low, a_high), (b_low, b_high) = a.split(2, -1), b.split(2, -1)
    overlap = _area((torch.minimum(a_high, b_high) - torch.maximum(a_low, b_low)).clamp(min=0))
    union = (_area(a_high - a_low) + _area(b_high - b_low) - overlap).clamp(min=eps)
    enclosed = torch.maximum(a_high, b_high) - torch.minimum(a_low, b_low)
    enclosing = _area(enclosed.clamp(min=0)).clamp(min=eps)
    return overlap / union - (enclosing - union) / enclosing


def _area(sides: Tensor) -> Tensor:
    """(..., 2) -> (...,)."""
    width, height = sides.unbind(-1)
    return width * height
