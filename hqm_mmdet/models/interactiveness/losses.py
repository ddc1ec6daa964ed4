"""TIN's losses: sigmoid cross entropy of weighted logits."""

import torch
import torch.nn.functional as F
from torch import Tensor


def weighted_logit_loss(
    logits: Tensor, labels: Tensor, weights: Tensor | None = None, mask: Tensor | None = None
) -> Tensor:
    """Mean sigmoid cross entropy of logits times weights.

    The weights multiply the logits, not the losses, and in training only: a rare class learns a logit that is small by
    the same factor. TIN's weights are ln(N / n), n the positive samples of a class among N.

    Args:
        logits, labels (Tensor): (P, C).
        weights (Tensor, optional): (C,). Default None: ones.
        mask (Tensor, optional): (C,) 0 or 1; entries of a class with 0 cost nothing but count in the mean.

    Returns:
        Tensor: scalar; 0, connected to the logits, where there is no pair.
    """
    if not len(logits):
        return logits.sum()
    logits = logits if weights is None else logits * weights
    losses = F.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    return (losses if mask is None else losses * mask).mean()


def interactiveness_loss(logits: Tensor, interactive: Tensor, weights: Tensor | None = None) -> Tensor:
    """Loss of D: both scores have targets of their own, (1, 0) for interactive pairs, (0, 1) for others.

    Args:
        logits (Tensor): (P, 2).
        interactive (Tensor): (P,) bool.
        weights (Tensor, optional): (2,), see :func:`weighted_logit_loss`.
    """
    labels = torch.stack([interactive, ~interactive], 1).to(logits.dtype)
    return weighted_logit_loss(logits, labels, weights)
