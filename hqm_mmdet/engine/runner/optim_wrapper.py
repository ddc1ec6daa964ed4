"""Optimisation: mixed precision that also works on a CPU, gradients clipped one by one."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from mmengine.runner.amp import autocast
from torch import nn

from hqm_mmdet.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Forward pass in bfloat16 (autocast); weights, gradients and optimizer stay float32.

    bfloat16 has float32's range, so unlike mmengine's ``AmpOptimWrapper`` no loss scaling is needed, and CPUs do it
    too. Arguments are those of mmengine's ``OptimWrapper``.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Around the forward pass of a training step."""
        # backward and step run outside: autocast chose each operation's type in the forward pass
        with super().optim_context(model), autocast(dtype=torch.bfloat16):
            yield


@OPTIM_WRAPPERS.register_module()
class TensorClipOptimWrapper(OptimWrapper):
    """Clips the gradient of every parameter to a norm of its own, as TensorFlow's ``clip_by_norm`` does (iCAN, TIN).

    Args:
        max_norm (float): of each gradient. Default: 1.
        **kwargs: as in mmengine's ``OptimWrapper``.
    """

    def __init__(self, *args, max_norm: float = 1.0, **kwargs):
        super().__init__(*args, clip_grad=dict(max_norm=max_norm), **kwargs)

    def _clip_grad(self) -> None:
        for group in self.optimizer.param_groups:
            for parameter in group["params"]:
                torch.nn.utils.clip_grad_norm_(parameter, **self.clip_grad_kwargs)
