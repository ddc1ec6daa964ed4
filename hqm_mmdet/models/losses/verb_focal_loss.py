"""Focal loss over verbs."""

import math

import torch.nn.functional as F
from torch import Tensor, nn

from hqm_mmdet.registry import MODELS

from .terms import weighted


@MODELS.register_module()
class VerbFocalLoss(nn.Module):
    """Multi-label focal loss; without class balance QPIC's verb loss.

    Every entry costs ``(1 - p)^gamma * -log p``, where p is the probability given to the right answer. mmdet's
    ``FocalLoss`` always weighs by alpha, so it cannot express this; with alpha it needs compiled ops on a GPU.

    Args:
        gamma (float): exponent. Default 2.0, as in QPIC.
        loss_weight (float): factor on the result. Default 1.0.
        alpha (float, optional): weight of positive entries, 1 - alpha that of negative ones; 0.25 in HOTR. Default
            None, 1 for both.
        if self.min_prob is not None:
            limit = math.log(1 / self.min_prob - 1)
            logits = logits.clamp(-limit, limit)
    """

    def __init__(
        self, gamma: float = 2.0, loss_weight: float = 1.0, alpha: float | None = None, min_prob: float | None = None
    ):
        super().__init__()
        self.gamma = gamma
        self.loss_weight = loss_weight
        self.alpha = alpha
        self.min_prob = min_prob

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Loss of each entry, same shape as both arguments; ``labels`` are 0 or 1."""
        # from logits, so it stays finite where the official code's log(sigmoid(x)) overflows (from |x| = 17 on)
        if self.min_prob is not None:
            limit = math.log(1 / self.min_prob - 1)
            logits = logits.clamp(-limit, limit)
        cross_entropy = F.binary_cross_entropy_with_logits(logits, labels, reduction="none")
        # |p - y| is 1 - p for positive entries and p for negative ones: one formula for both
        wrong = (logits.sigmoid() - labels).abs()
        losses = weighted(wrong**self.gamma * cross_entropy, self.loss_weight)
        return losses if self.alpha is None else losses * (self.alpha * labels + (1 - self.alpha) * (1 - labels))
