"""What a metric would be if some errors were mended."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from .average_precision import RankedCandidates
from .judged import JudgedCandidates


class FixOracle:
    """Mends false positives by kind and recomputes the headline value.

    A false positive with a target becomes a true positive of that ground truth, in its column and with its own score,
    if no true positive took the ground truth and no better candidate that is mended too has the same target; otherwise
    it is removed. All candidates are sorted once, each possible true positive beside them; a question only masks rows.

    Args:
        judged (JudgedCandidates): N candidates, M ground-truth triplets.
        kind (ndarray): (N,) int, negative for true positives.
        target (ndarray): (N,) int, row of the ground truth; -1 for none.
    """

    def __init__(self, judged: JudgedCandidates, kind: np.ndarray, target: np.ndarray) -> None:
        self._judged, self._kind = judged, kind
        place = np.empty(len(kind), np.int64)
        # Ranks among equal scores, by the metric's own rule.
        place[judged.tie_order()] = np.arange(len(kind))
        free = np.flatnonzero((target >= 0) & (judged.taken_by[target] < 0)) if len(judged.gts) else place[:0]
        order = np.lexsort((place[free], -judged.preds.scores[free], target[free]))
        self._movable, self._target = free[order], target[free[order]]  # by target, best first
        rows = np.concatenate([np.arange(len(kind)), self._movable])
        column = np.concatenate([judged.pred_column, judged.gt_column[self._target]])
        known = np.flatnonzero(column >= 0)
        order = known[np.lexsort((place[rows[known]], -judged.preds.scores[rows[known]], column[known]))]
        is_tp = np.concatenate([judged.is_tp, np.ones(len(self._movable), dtype=bool)])
        columns = (order, column[order], is_tp[order], judged.preds.image[rows[order]])
        self._ranked = RankedCandidates(judged.classes, *columns, judged.gt_column, judged.gts.image)

    def mean(
        self, mended: Collection[int] = (), removed: Collection[int] = (), gone: np.ndarray | None = None
    ) -> float:
        """Headline value.

        Args:
            mended (Collection[int]): kinds of false positives to mend.
            removed (Collection[int]): kinds of false positives to remove, whether they have a target or not.
            gone (ndarray, optional): (M,) bool, ground truth that is not counted. A column that loses all its ground
                truth so has AP 1: nothing is left to be found.

        Returns:
            float: A fraction; without arguments the metric's own value.
        """
        judged = self._judged
        changed = np.isin(self._kind, [*mended, *removed])
        moves = np.flatnonzero(np.isin(self._kind[self._movable], list(mended)))
        _, best = np.unique(self._target[moves], return_index=True)
        moved = np.zeros(len(self._movable), dtype=bool)
        moved[moves[best]] = True
        rest = np.ones(len(judged.gts), dtype=bool) if gone is None else ~gone
        ranked = self._ranked.keep(np.concatenate([~changed, moved]))
        ranked = replace(ranked, gt_column=judged.gt_column[rest], gt_image=judged.gts.image[rest])
        ap = ranked.results(judged.protocol.recall_thresholds).ap
        before, after = (np.bincount(c, minlength=len(ap)) for c in (judged.gt_column, ranked.gt_column))
        return judged.mean_of(np.where((before > 0) & (after == 0), 1.0, ap))
