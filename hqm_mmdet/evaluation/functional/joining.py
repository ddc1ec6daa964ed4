"""Rows of two tables that belong together."""

from collections.abc import Iterator

import numpy as np


class KeyIndex:
    """Finds rows by key.

    Args:
        keys (ndarray): (M,) int, one per row.
    """

    def __init__(self, keys: np.ndarray) -> None:
        self._order = np.argsort(keys, kind="stable")
        self._sorted = keys[self._order]

    def join(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """All combinations of equal keys.

        Args:
            keys (ndarray): (N,) int.

        Returns:
            tuple[ndarray, ndarray]: (J,) int, index into ``keys``, ascending, and (J,) int, row of the index, ascending
            within one key.
        """
        start, count = self._ranges(keys)
        left = np.repeat(np.arange(len(keys)), count)
        # 0, 1, 2 ... within each key's run.
        within = np.arange(len(left)) - np.repeat(np.cumsum(count) - count, count)
        return left, self._order[start[left] + within]

    def join_in_blocks(self, keys: np.ndarray, size: int = 1 << 19) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """:meth:`join` in parts of about ``size`` combinations, for tables whose join would not fit into memory."""
        total = np.cumsum(self._ranges(keys)[1])
        cuts = np.searchsorted(total, np.arange(size, total[-1] if len(total) else 0, size))
        for begin, end in zip([0, *cuts.tolist()], [*cuts.tolist(), len(keys)], strict=True):
            left, right = self.join(keys[begin:end])
            yield left + begin, right

    def _ranges(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        start = np.searchsorted(self._sorted, keys, side="left")
        return start, np.searchsorted(self._sorted, keys, side="right") - start
