"""Dropout whose random numbers cost a CPU little."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STEPS = 2**16  # of the probability


def dropout(x: Tensor, p: float, training: bool) -> Tensor:
    """``torch.nn.functional.dropout``; on a CPU, one number of its generator serves four elements.

    PyTorch draws one of 53 bits for each element, one after the other, which is a fifteenth of a training step of DETR.
    Of 16 bits, a probability is exact to 2 ** -17, and the elements that stay are scaled by what it is.

    Args:
        x (Tensor): any shape.
        p (float): probability that an element becomes 0.
        training (bool): False: nothing happens.

    Returns:
        Tensor: as ``x``.
    """
    if not (training and draws_itself(x.device, p)):
        return F.dropout(x, p, training)
    dropped = round(p * STEPS)
    drawn = torch.empty((x.numel() + 3) // 4, dtype=torch.int64).random_(-(2**63), None).view(torch.int16)
    kept = torch.ge(drawn[: x.numel()].view(x.shape), dropped - STEPS // 2, out=torch.empty(x.shape, dtype=x.dtype))
    return x * kept.mul_(STEPS / (STEPS - dropped))


def draws_itself(device: torch.device, p: float) -> bool:
    """Whether :func:`dropout` draws its masks, and does not leave that to PyTorch."""
    return device.type == "cpu" and 0 < round(p * STEPS) < STEPS and not torch.compiler.is_compiling()


class Dropout(nn.Dropout):
    """:func:`dropout` as a layer."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return dropout(x, self.p, self.training)


def with_own_dropout(module: nn.Module) -> nn.Module:
    """A module of another library, whose ``nn.Dropout`` layers are replaced by :class:`Dropout`."""
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if type(child) is nn.Dropout:
                setattr(parent, name, Dropout(child.p))
    return module
