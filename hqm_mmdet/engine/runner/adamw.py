"""AdamW by the fastest kernels at hand."""

from collections.abc import Iterable

import torch

from hqm_mmdet.registry import OPTIMIZERS


@OPTIMIZERS.register_module()
class FusedAdamW(torch.optim.AdamW):
    """torch's AdamW with one kernel for all parameters, where this torch has one for their device.

    A small model's step is otherwise a dozen tiny operations for each of its parameters. Elsewhere it is torch's plain
    AdamW; both compute the same up to rounding. Arguments are those of ``torch.optim.AdamW``.
    """

    def __init__(self, params: Iterable, **kwargs):
        params = list(params)  # a generator could be read once only
        try:
            super().__init__(params, fused=True, **kwargs)
        except RuntimeError:  # torch's way to say that it has no fused kernel (CPU before 2.4)
            super().__init__(params, **kwargs)
