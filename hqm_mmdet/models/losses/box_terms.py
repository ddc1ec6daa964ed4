"""L1 and GIoU of assigned boxes."""

from torch import Tensor, nn

from hqm_mmdet.structures import cxcywh_to_xyxy


def box_terms(loss_bbox: nn.Module, loss_iou: nn.Module, predicted: Tensor, labelled: Tensor) -> tuple[Tensor, Tensor]:
    """L1 (summed over coordinates) and GIoU loss of each assigned box.

    Args:
        loss_bbox, loss_iou (nn.Module): mmdet's loss modules, weights included.
        predicted, labelled (Tensor): (L, M, 4) centre x, centre y, width, height.

    Returns:
        tuple[Tensor, Tensor]: (L, M) each.
    """
    if not predicted.numel():  # mmdet's losses return a scalar for empty targets; keep shape and gradient path
        zero = predicted.sum(-1)
        return zero, zero
    l1 = loss_bbox(predicted, labelled, reduction_override="none").sum(-1)
    corners = (cxcywh_to_xyxy(boxes).flatten(0, 1) for boxes in (predicted, labelled))
    return l1, loss_iou(*corners, reduction_override="none").view_as(l1)
