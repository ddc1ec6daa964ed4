"""Counting what a step asks of the device, without a device."""

from collections import Counter

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class LaunchCounter(TorchDispatchMode):
    """Counts dispatched operations, which stand for kernel launches; views and bookkeeping launch nothing.

    As context manager; covers the backward pass too. ``counts`` holds the names.
    """

    FREE = ("aten.detach", "aten.empty", "aten.lift", "aten.is_", "aten._local_scalar_dense")

    def __init__(self):
        super().__init__()
        self.counts: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """All operations."""
        return sum(self.counts.values())

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = str(func)
        if not func.is_view and not name.startswith(self.FREE):
            self.counts[name] += 1
        return func(*args, **(kwargs or {}))


def count_step(model: torch.nn.Module, batch: tuple) -> LaunchCounter:
    """Forward and backward of one training step."""
    with LaunchCounter() as counter:
        sum(model(*batch, mode="loss").values()).backward()
    return counter


def warmed_up(model: torch.nn.Module, batch: tuple) -> torch.nn.Module:
    """The model after a step, so that gradients exist."""
    sum(model(*batch, mode="loss").values()).backward()
    return model
