"""Matching costs of pairs that point to instances (HOTR). Shapes as in :mod:`~.costs`."""

import torch
from torch import Tensor

from hqm_mmdet.registry import TASK_UTILS

from .costs import ObjectClassCost, Predictions
from .pointer_targets import PointedPairs


@TASK_UTILS.register_module()
class PointerCost:
    """Minus the probability of pointing to the subject's instance, and the same for the object's."""

    def __init__(self, weight: float = 1.0):
        self.weight = weight

    def __call__(self, preds: Predictions, targets: PointedPairs) -> Tensor:
        """(L, B, N, P); pointers of -1 stand for the last instance, as in the official code."""
        subject = self._probability(preds["sub_pointer_logits"], targets.sub_pointers)
        return -self.weight * (subject + self._probability(preds["obj_pointer_logits"], targets.obj_pointers))

    @staticmethod
    def _probability(logits: Tensor, pointers: Tensor) -> Tensor:
        # -1 becomes the last row, which is where Python's indexing takes the official code
        rows = pointers % logits.shape[-1]
        return logits.softmax(-1).gather(-1, rows[None, :, None].expand(*logits.shape[:3], -1))


@TASK_UTILS.register_module()
class InteractionCost:
    """Mean logit of the verbs that a pair lacks, "no interaction" among them, minus that of the verbs it has.

    Raw logits, as in the official matcher; those of untrained verbs count as 0.
    """

    def __init__(self, weight: float = 1.0):
        self.weight = weight

    def __call__(self, preds: Predictions, targets: PointedPairs) -> Tensor:
        """(L, B, N, P)."""
        logits = torch.cat([preds["verb_logits"] * targets.valid_verbs, preds["no_interaction_logits"]], -1)
        present = targets.verb_labels.transpose(1, 2)  # (B, V, P)
        present = torch.cat([present, torch.zeros_like(present[:, :1])], 1)
        absent = 1 - present
        # a pair without any trained verb wants nothing; without the clamp it would want NaN
        wanted = present / present.sum(1, keepdim=True).clamp(min=1)
        return self.weight * (logits @ (absent / absent.sum(1, keepdim=True)) - logits @ wanted)


@TASK_UTILS.register_module()
class PointedClassCost(ObjectClassCost):
    """Minus the probability of the object's class at the instance pointed to; 0 where the object is absent."""

    def __call__(self, preds: Predictions, targets: PointedPairs) -> Tensor:
        """(L, B, N, P)."""
        return super().__call__(preds, targets) * targets.has_object[None, :, None]
