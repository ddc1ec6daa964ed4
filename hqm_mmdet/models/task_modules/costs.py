"""Matching costs between predicted and labelled pairs, for all decoder layers and images at once.

Each cost maps predictions (L, B, N, ...) and padded targets (B, P, ...) to (L, B, N, P); padded columns hold numbers
without meaning. The formulas are those of QPIC's matcher; weights live with the cost.
"""

import torch
from torch import Tensor

from hqm_mmdet.registry import TASK_UTILS
from hqm_mmdet.structures import box_giou, cxcywh_to_xyxy

from .targets import PairTargets

Predictions = dict[str, Tensor]


@TASK_UTILS.register_module()
class ObjectClassCost:
    """Minus the probability of the labelled object class."""

    def __init__(self, weight: float = 1.0):
        self.weight = weight

    def __call__(self, preds: Predictions, targets: PairTargets) -> Tensor:
        """(L, B, N, P)."""
        probs = preds["obj_logits"].softmax(-1)
        labels = targets.obj_labels[None, :, None].expand(*probs.shape[:3], -1)
        return -self.weight * probs.gather(-1, labels)


@TASK_UTILS.register_module()
class VerbCost:
    """Minus the mean of the scores given to the pair's verbs and denied to all others.

    ``-(q.Y / (|Y| + eps) + (1 - q).(1 - Y) / (|1 - Y| + eps)) / 2`` with verb probabilities q and multi-hot labels Y.
    """

    EPS = 1e-4  # as in the official code
    vocabulary = "verb"

    def __init__(self, weight: float = 1.0):
        self.weight = weight

    def __call__(self, preds: Predictions, targets: PairTargets) -> Tensor:
        """(L, B, N, P)."""
        probs = preds[f"{self.vocabulary}_logits"].sigmoid()
        present = getattr(targets, f"{self.vocabulary}_labels").transpose(1, 2)  # (B, V, P)
        absent = 1 - present
        hit = probs @ (present / (present.sum(1, keepdim=True) + self.EPS))
        rejected = (1 - probs) @ (absent / (absent.sum(1, keepdim=True) + self.EPS))
        return -self.weight * (hit + rejected) / 2  # negative: better predictions cost less


@TASK_UTILS.register_module()
class HOICost(VerbCost):
    """:class:`VerbCost` of HOI classes, for heads that score these."""

    vocabulary = "hoi"


@TASK_UTILS.register_module()
class PairL1Cost:
    """Larger of the L1 distances of the subject's and the object's box (0 for an absent object)."""

    def __init__(self, weight: float = 2.5):
        self.weight = weight

    def __call__(self, preds: Predictions, targets: PairTargets) -> Tensor:
        """(L, B, N, P)."""
        # an absent object is a zero box: predictions must not be drawn to the corner of the image
        subject, obj = torch.cdist(*_both_boxes(preds, targets), p=1)
        return self.weight * torch.maximum(subject, obj * targets.has_object[None, :, None])


@TASK_UTILS.register_module()
class PairGIoUCost:
    """Larger of minus GIoU of the subject's and the object's box.

    For an absent object it is ``-GIoU(predicted object, zero box) - GIoU(subject)``: the position of the predicted
    object still has a say. This quirk of the official code is kept, because it decides published matches.
    """

    def __init__(self, weight: float = 1.0):
        self.weight = weight

    def __call__(self, preds: Predictions, targets: PairTargets) -> Tensor:
        """(L, B, N, P)."""
        predicted, labelled = map(cxcywh_to_xyxy, _both_boxes(preds, targets))
        subject, obj = -box_giou(predicted[..., None, :], labelled[..., None, :, :])
        absent = ~targets.has_object[None, :, None]
        return self.weight * torch.maximum(subject, obj + subject * absent)


def _both_boxes(preds: Predictions, targets: PairTargets) -> tuple[Tensor, Tensor]:
    """Subject and object boxes side by side: predicted (2, L, B, N, 4), labelled (2, 1, B, P, 4)."""
    predicted = torch.stack([preds["sub_boxes"], preds["obj_boxes"]])
    return predicted, torch.stack([targets.sub_boxes, targets.obj_boxes])[:, None]
