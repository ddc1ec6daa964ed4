"""Random streams that depend on (seed, epoch, index) only, in every worker process."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


class SharedInteger:
    """An integer in shared memory: worker processes, persistent ones too, see what the main process sets."""

    def __init__(self, value: int = 0):
        self._cell = torch.tensor(value, dtype=torch.int64).share_memory_()

    def __deepcopy__(self, memo: dict) -> "SharedInteger":
        return SharedInteger(self.get())  # a copied tensor would lie in private memory

    def get(self) -> int:
        """Current value."""
        return int(self._cell)

    def set(self, value: int) -> None:
        """Change it for all processes."""
        self._cell.fill_(value)


@contextmanager
def streams_put_back() -> Iterator[None]:
    """What ``random``, ``numpy.random`` and torch's CPU generator do inside does not change them outside."""
    outer = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(outer[0])
        np.random.set_state(outer[1])
        torch.set_rng_state(outer[2])


def start_streams(*key: int) -> None:
    """From here on ``random``, ``numpy.random`` and torch's CPU generator are functions of ``key``.

    Args:
        *key (int): not negative, e.g. seed, epoch, index.
    """
    words = np.random.SeedSequence(key).generate_state(4)
    random.seed(int(words[0]))
    np.random.seed(words)
    # torch.manual_seed would seed the accelerators too, which a worker process must not touch.
    torch.default_generator.manual_seed(int(words[1]) << 32 | int(words[2]))
