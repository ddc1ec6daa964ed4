"""Which kinds of errors cost how much of a metric, by mending one kind at a time (``docs/errors.md``)."""

from dataclasses import dataclass

import numpy as np

from .error_kinds import KINDS, OBJECT_CLASS, find_kinds
from .error_oracle import FixOracle
from .judged import JudgedCandidates

MISSED = "missed"


@dataclass(frozen=True)
class ErrorGain:
    """One kind of error.

    Args:
        name (str): one of :data:`~.error_kinds.KINDS`, ``missed``, or a limit's name.
        count (int): false positives, or ground truth, of that kind.
        gain (float): what the headline value would rise by, a fraction.
    """

    name: str
    count: int
    gain: float


@dataclass(frozen=True, eq=False)
class ErrorBreakdown:
    """What is wrong with N candidates and M ground-truth triplets.

    Args:
        value (float): the headline value; NaN if no class counts, and then all gains are.
        kind (ndarray): (N,) int8, index into :data:`~.error_kinds.KINDS`; -1 for true positives.
        target (ndarray): (N,) int, row of the ground truth that a candidate misses by one thing; -1 if there is none.
        missed (ndarray): (M,) bool, ground truth that no candidate found, and none misses by one thing.
        rows (tuple[ErrorGain, ...]): every kind that the data set knows, then ``missed``.
        limits (tuple[ErrorGain, ...]): ``false positives`` (all removed) and ``false negatives`` (all found).
    """

    value: float
    kind: np.ndarray
    target: np.ndarray
    missed: np.ndarray
    rows: tuple[ErrorGain, ...]
    limits: tuple[ErrorGain, ...]


def break_down(judged: JudgedCandidates, near: float = 0.1) -> ErrorBreakdown:
    """Give every false positive one kind of error, and every kind what mending it would gain.

    Args:
        judged (JudgedCandidates): of any metric.
        near (float): IoU below which a box has nothing to do with an annotated one. Default: 0.1, as in TIDE.

    Returns:
        ErrorBreakdown: kinds, counts and gains.
    """
    kind, target = find_kinds(judged, near)
    lost = judged.taken_by < 0
    missed = lost.copy()
    missed[target[target >= 0]] = False
    oracle, value = FixOracle(judged, kind, target), judged.mean()
    # V-COCO compares no object class, so none can be wrong.
    names = [(k, name) for k, name in enumerate(KINDS) if k != OBJECT_CLASS or judged.coder.num_objects > 1]
    rows = [ErrorGain(name, int((kind == k).sum()), oracle.mean([k]) - value) for k, name in names]
    rows.append(ErrorGain(MISSED, int(missed.sum()), oracle.mean(gone=missed) - value))
    limits = (
        ErrorGain("false positives", int((kind >= 0).sum()), oracle.mean(removed=range(len(KINDS))) - value),
        ErrorGain("false negatives", int(lost.sum()), oracle.mean(gone=lost) - value),
    )
    return ErrorBreakdown(value, kind, target, missed, tuple(rows), limits)
