"""What losses of all heads share: their divisors, terms of boxes, names by layer."""

import torch
from mmdet.utils import reduce_mean
from mmengine.dist import get_world_size
from torch import Tensor, nn

from hqm_mmdet.structures import cxcywh_to_xyxy


def mean_over_processes(amount: Tensor) -> Tensor:
    """An amount averaged over all processes, as divisor of a loss; every divisor of this package comes from here.

    DistributedDataParallel averages gradients, so N processes then compute what one does on the whole batch. Where all
    processes together have nothing, it is as if they had one entry.

    Args:
        amount (Tensor): number or weight of this process's entries, any shape, not negative.

    Returns:
        Tensor: same shape, positive.
    """
    mean = reduce_mean(amount)
    return torch.where(mean > 0, mean, 1 / get_world_size())


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
    # mmdet's GIoU takes lists of boxes, not layers of lists
    corners = (cxcywh_to_xyxy(boxes).flatten(0, 1) for boxes in (predicted, labelled))
    return l1, loss_iou(*corners, reduction_override="none").view_as(l1)


def weighted(values: Tensor, weight: float) -> Tensor:
    """``weight * values``; with weight 1, the usual one, nothing is computed."""
    return values if weight == 1 else weight * values


def by_layer(terms: dict[str, Tensor]) -> dict[str, Tensor]:
    """Terms (L,) as scalars, the last layer's without prefix, layer i's with prefix ``d{i}.``, as mmdet names them."""
    last = len(next(iter(terms.values()))) - 1
    # The order is part of the result: losses are summed in it, and float sums depend on their order.
    scalars = {name: values.unbind() for name, values in terms.items()}  # one gradient for all layers of a term
    return {
        (name if layer == last else f"d{layer}.{name}"): values[layer]
        for layer in range(last, -1, -1)
        for name, values in scalars.items()
    }
