"""How parts of a model run: compiled, or computed twice to save memory. What they compute stays the same."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


def compile_parts(parts: Iterable[nn.Module], options: bool | Mapping[str, Any]) -> None:
    """Compile modules in place, with their names and states as they are.

    Args:
        parts (Iterable[nn.Module]): modules that a model calls.
        options (bool | Mapping): arguments of ``torch.compile``; True for its defaults, False for nothing.
    """
    if options is False:
        return
    for part in parts:
        part.compile(**({} if options is True else options))


def checkpoint_parts(parts: Iterable[nn.Module]) -> None:
    """Let modules keep their input only between forward and backward pass, and compute the rest again.

    Training takes about a third longer for these parts. Their random numbers are the same in both passes.
    """
    for part in parts:
        # not the reentrant kind: it loses the gradients of what follows a frozen stem
        part.forward = partial(checkpoint, part.forward, use_reentrant=False)


def stages_of(backbone: nn.Module) -> list[nn.Module]:
    """Stages of a ResNet; of another backbone the whole."""
    return [getattr(backbone, name) for name in getattr(backbone, "res_layers", ())] or [backbone]


def pointwise_convolutions(module: nn.Module) -> list[nn.Conv2d]:
    """Convolutions with a kernel of one pixel."""
    return [each for each in module.modules() if isinstance(each, nn.Conv2d) and each.kernel_size == (1, 1)]


def choose_kernels(pointwise: Iterable[nn.Conv2d], device: torch.device) -> None:
    """Let pointwise convolutions take the fastest kernels that PyTorch has for a device.

    On a single CPU thread it leaves oneDNN out for a kernel of one pixel, unless it is dilated; a dilated pixel is the
    same pixel, and oneDNN takes four fifths of the time (measured: forward and backward 0.79, forward 0.87).

    Args:
        pointwise (Iterable[Conv2d]): of :func:`pointwise_convolutions`.
        device (torch.device): where they run next.
    """
    dilation = (2, 2) if device.type == "cpu" and torch.get_num_threads() == 1 else (1, 1)
    for convolution in pointwise:
        convolution.dilation = dilation
