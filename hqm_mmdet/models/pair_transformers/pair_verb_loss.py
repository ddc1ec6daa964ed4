"""The loss of UPT and PViC: a verb's probability is multiplied by both detection scores, then compared."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hqm_mmdet.models.losses import mean_over_processes
from hqm_mmdet.registry import MODELS

LARGEST_PRIOR = 1 - 1e-6


def adjusted_logits(logits: Tensor, prior: Tensor) -> Tensor:
    """The logits of ``prior * sigmoid(logits)``.

    Official: ``log(q / (1 + exp(-z) - q) + 1e-8)``, which is infinite for q = 1 from z = 16.6 on. The same numbers
    here, with q at most 1 - 1e-6 and without exponentials that overflow.

    Args:
        logits (Tensor): any shape.
        prior (Tensor): same shape, in [0, 1].
    """
    probability = prior.clamp(max=LARGEST_PRIOR) * logits.sigmoid()
    return (probability / (1 - probability) + 1e-8).log()


@MODELS.register_module()
class PairVerbLoss(nn.Module):
    """Focal loss on :func:`adjusted_logits`, divided by the number of positive entries of all processes' mean.

    Without any, the divisor is 1, where the official code's loss is infinite or NaN.

    Args:
        alpha (float): weight of positive entries, 1 - alpha that of negative ones. Default: 0.5.
        gamma (float): exponent. Default: 0.2, as UPT; PViC: 0.1.
        loss_weight (float): factor on the result. Default: 1.0.
    """

    def __init__(self, alpha: float = 0.5, gamma: float = 0.2, loss_weight: float = 1.0):
        super().__init__()
        self.alpha, self.gamma, self.loss_weight = alpha, gamma, loss_weight

    def forward(self, logits: Tensor, prior: Tensor, labels: Tensor) -> Tensor:
        """Scalar.

        Args:
            logits (Tensor): any shape, float32.
            prior (Tensor): same shape; entries with 0 do not take part.
            labels (Tensor): same shape, 0 or 1.
        """
        rows = prior > 0
        logits, prior, labels = logits[rows], prior[rows], labels[rows]
        return self.loss_weight * self.entries(logits, prior, labels).sum() / mean_over_processes(labels.sum())

    def entries(self, logits: Tensor, prior: Tensor, labels: Tensor) -> Tensor:
        """Loss of each entry, same shape as the arguments, without ``loss_weight``."""
        adjusted = adjusted_logits(logits, prior)
        wrong = (labels - adjusted.sigmoid()).abs() + 1e-6
        entropy = F.binary_cross_entropy_with_logits(adjusted, labels, reduction="none")
        return (1 - labels - self.alpha).abs() * wrong**self.gamma * entropy


@torch.no_grad()
def associated_verbs(overlap: Tensor, verb_labels: Tensor, threshold: float = 0.5) -> Tensor:
    """Verbs of candidate pairs: those of all labelled pairs that they overlap.

    Args:
        overlap (Tensor): (M, P), the smaller of both boxes' IoU.
        verb_labels (Tensor): (P, V) multi-hot.
        threshold (float): least overlap, reached. Default: 0.5.

    Returns:
        Tensor: (M, V) multi-hot.
    """
    return ((overlap >= threshold).to(verb_labels) @ verb_labels).clamp(max=1)
