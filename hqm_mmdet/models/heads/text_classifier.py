"""Classifiers whose rows are embeddings of words."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TextClassifier(nn.Module):
    """Cosine to each class's embedding, plus a bias; in float32, under autocast too.

    Args:
        dims (int): e.
        num_classes (int): K.
        bias (bool): whether classes have a bias; the official code initialises it at random and never trains it, here
            it starts at zero. Default True.
    """

    def __init__(self, dims: int, num_classes: int, bias: bool = True):
        super().__init__()
        self.weight = nn.Parameter(F.normalize(torch.randn(num_classes, dims), dim=1))
        self.register_parameter("bias", nn.Parameter(torch.zeros(num_classes)) if bias else None)

    def forward(self, features: Tensor) -> Tensor:
        """(..., e), of any length -> (..., K)."""
        with torch.autocast(features.device.type, enabled=False):
            return F.linear(F.normalize(features.float(), dim=-1), self.weight, self.bias)


def initial_scale() -> nn.Parameter:
    """Logarithm of the factor on cosines, as CLIP starts it: ln(1 / 0.07)."""
    return nn.Parameter(torch.tensor(1 / 0.07).log())
