"""Suppression per class as ONNX's own operation, which PyTorch has no name for."""

import torch
from torch import Tensor

from hqm_mmdet.models.pair_transformers.selection import survivors

NOT_OF_CLASS, LEAST = -1.0, -0.5  # score of a box in other classes than its own; what passes


def suppressed(boxes: Tensor, labels: Tensor, scores: Tensor, iou: float, num_classes: int) -> Tensor:
    """Rows that :func:`~hqm_mmdet.models.pair_transformers.selection.survivors` leaves, best first, also in a graph."""
    classes = torch.arange(num_classes, device=labels.device)[:, None]
    by_class = torch.where(labels == classes, scores, torch.full_like(scores, NOT_OF_CLASS))  # (C, N)
    rows = _Suppression.apply(boxes, labels, scores, by_class, iou)
    return rows[scores[rows].argsort(descending=True)]  # ONNX gives them class by class


class _Suppression(torch.autograd.Function):
    @staticmethod
    def forward(ctx, boxes: Tensor, labels: Tensor, scores: Tensor, by_class: Tensor, iou: float) -> Tensor:
        return survivors(boxes, labels, scores, iou)

    @staticmethod
    def symbolic(g, boxes, labels, scores, by_class, iou: float):
        first = g.op("Constant", value_t=torch.tensor([0]))
        number = g.op("Constant", value_t=torch.tensor([2**31 - 1]))  # of boxes of a class that may stay
        limits = (g.op("Constant", value_t=torch.tensor([value])) for value in (iou, LEAST))
        boxes, by_class = (g.op("Unsqueeze", each, first) for each in (boxes, by_class))
        found = g.op("NonMaxSuppression", boxes, by_class, number, *limits)  # rows of image, class, box
        return g.op("Gather", found, g.op("Constant", value_t=torch.tensor(2)), axis_i=1)
