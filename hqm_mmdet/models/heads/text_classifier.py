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

    @torch.no_grad()
    def replaced(self, rows: Tensor) -> "TextClassifier":
        """A classifier of other classes, rows (K, e); their bias is the mean of this one's."""
        other = TextClassifier(self.weight.shape[1], len(rows), self.bias is not None).to(self.weight.device)
        other.weight.copy_(rows)
        if self.bias is not None:
            other.bias.fill_(self.bias.mean().item())
        return other.requires_grad_(False)

    @torch.no_grad()
    def extended(self, rows: Tensor, at: int) -> "TextClassifier":
        """This classifier with further classes, rows (K, e), before position ``at``."""
        new = self.replaced(rows)
        other = TextClassifier(self.weight.shape[1], len(self.weight) + len(rows), self.bias is not None)
        other = other.to(self.weight.device)
        other.weight.copy_(torch.cat([self.weight[:at], new.weight, self.weight[at:]]))
        if self.bias is not None:
            other.bias.copy_(torch.cat([self.bias[:at], new.bias, self.bias[at:]]))
        return other.requires_grad_(False)


def initial_scale() -> nn.Parameter:
    """Logarithm of the factor on cosines, as CLIP starts it: ln(1 / 0.07)."""
    return nn.Parameter(torch.tensor(1 / 0.07).log())
