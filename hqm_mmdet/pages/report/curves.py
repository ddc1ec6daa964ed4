"""Precision-recall curves, small enough to embed hundreds of them."""

from collections.abc import Sequence

import numpy as np

from hqm_mmdet.evaluation.analysis import ClassRow

MOST_POINTS = 60
RECALLS = np.linspace(0, 1, 101)


def curve(row: ClassRow) -> dict:
    """The curve through the true positives of a class, thinned evenly where it is long.

    Returns:
        dict: ``x`` recalls, ``y`` precisions, T' numbers each; empty without a true positive.
    """
    keep = np.unique(np.linspace(0, len(row.recall) - 1, min(len(row.recall), MOST_POINTS)).round().astype(int))
    return dict(x=_short(row.recall[keep]), y=_short(row.precision[keep]))


def mean_curve(rows: Sequence[ClassRow]) -> dict:
    """Mean over classes of the largest precision at or beyond each of 101 recalls; 0 beyond a class's last one."""
    held = [envelope(row.recall, row.precision) for row in rows]
    return dict(x=_short(RECALLS), y=_short(np.mean(held, axis=0))) if held else dict(x=[], y=[])


def envelope(recall: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """Largest precision at or beyond each of ``RECALLS``, (101,)."""
    if not len(recall):
        return np.zeros(len(RECALLS))
    # Behind the last recall precision is 0.
    best = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    # A recall of 0.3 that was computed as 0.29999999999999999 still reaches 0.3.
    return best[np.searchsorted(recall, RECALLS - 1e-9)]


def _short(values: np.ndarray) -> list[float]:
    return np.round(np.asarray(values, float), 3).tolist()
