"""Stage c: average precision and recall of every triplet class."""

from dataclasses import dataclass

import numpy as np

from .protocol import NUMPY_THRESHOLDS


@dataclass(frozen=True, eq=False)
class ClassResults:
    """Results of the K classes that have ground truth, in ascending class order; all columns (K,).

    Args:
        classes (ndarray): Triplet class.
        ap (ndarray): Average precision; 0 for a class without candidate.
        max_recall (ndarray): Recall over all candidates.
        num_gt, num_pred, num_tp (ndarray): Counts.
    """

    classes: np.ndarray
    ap: np.ndarray
    max_recall: np.ndarray
    num_gt: np.ndarray
    num_pred: np.ndarray
    num_tp: np.ndarray


def class_results(
    pred_classes: np.ndarray,
    scores: np.ndarray,
    is_tp: np.ndarray,
    gt_classes: np.ndarray,
    thresholds: tuple[float, ...] = NUMPY_THRESHOLDS,
) -> ClassResults:
    """AP per class from one sort of all candidates.

    AP is the mean over ``thresholds`` of the largest precision at a recall >= threshold (VOC 2007).
    Candidates of equal score keep their order. Classes without ground truth are ignored.

    Args:
        pred_classes (ndarray): (N,) int.
        scores (ndarray): (N,) float, finite.
        is_tp (ndarray): (N,) bool.
        gt_classes (ndarray): (M,) int, one entry per ground-truth triplet.
        thresholds (tuple[float, ...]): Recall thresholds.

    Returns:
        ClassResults: K classes.
    """
    classes, num_gt = np.unique(gt_classes, return_counts=True)
    column, is_tp = _descending(pred_classes, scores, is_tp, classes)
    num_pred = np.bincount(column, minlength=len(classes))
    num_tp = np.bincount(column[is_tp], minlength=len(classes))
    starts = np.cumsum(num_pred) - num_pred
    tps_before = np.cumsum(num_tp) - num_tp
    found = np.cumsum(is_tp) - tps_before[column]
    precision = found / (np.arange(len(column)) - starts[column] + 1)
    ap = _interpolated_ap(found / num_gt[column], precision, starts, num_pred > 0, thresholds)
    return ClassResults(classes, ap, num_tp / num_gt, num_gt, num_pred, num_tp)


def _descending(pred_classes, scores, is_tp, classes) -> tuple[np.ndarray, np.ndarray]:
    """Candidates of the given classes by (class, descending score): class column (N',), flags (N',)."""
    column = np.searchsorted(classes, pred_classes)
    known = np.flatnonzero(np.append(classes, -1)[column] == pred_classes)
    column, is_tp = column[known], np.asarray(is_tp, dtype=bool)[known]
    order = np.lexsort((-scores[known], column))
    return column[order], is_tp[order]


def _interpolated_ap(recall, precision, starts, has_pred, thresholds) -> np.ndarray:
    """(K,) AP; ``starts`` (K,) is where each class begins in the flat curves."""
    ap = np.zeros(len(starts))
    if not len(recall):
        return ap
    for threshold in thresholds:
        reached = np.where(recall >= threshold, precision, 0.0)
        ap[has_pred] += np.maximum.reduceat(reached, starts[has_pred]) / len(thresholds)
    return ap
