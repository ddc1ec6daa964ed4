"""Stage c: average precision and recall of every class."""

from dataclasses import dataclass

import numpy as np

from .protocol import NUMPY_THRESHOLDS

Thresholds = tuple[float, ...] | None


@dataclass(frozen=True, eq=False)
class ClassResults:
    """Results of K classes, those that have ground truth if nothing else is said, in ascending order; columns (K,).

    Args:
        classes (ndarray): class.
        ap (ndarray): average precision; 0 for a class without candidate, NaN for a class without ground truth (e.g.
            one that a resample left without).
        max_recall (ndarray): recall over all candidates; NaN as above.
        num_gt, num_pred, num_tp (ndarray): counts.
    """

    classes: np.ndarray
    ap: np.ndarray
    max_recall: np.ndarray
    num_gt: np.ndarray
    num_pred: np.ndarray
    num_tp: np.ndarray


@dataclass(frozen=True, eq=False)
class RankedCandidates:
    """Candidates of K classes, sorted once: by class, then by descending score.

    Args:
        classes (ndarray): (K,) int, ascending.
        rows (ndarray): (N,) int, where each candidate stood before sorting.
        column (ndarray): (N,) int, index of its class.
        is_tp (ndarray): (N,) bool.
        image (ndarray): (N,) int.
        gt_column, gt_image (ndarray): (M,) int, class index and image of the ground truth.
    """

    classes: np.ndarray
    rows: np.ndarray
    column: np.ndarray
    is_tp: np.ndarray
    image: np.ndarray
    gt_column: np.ndarray
    gt_image: np.ndarray

    def keep(self, mask: np.ndarray) -> "RankedCandidates":
        """Those candidates whose row before sorting is set in ``mask``."""
        mask = mask[self.rows]
        columns = (self.rows[mask], self.column[mask], self.is_tp[mask], self.image[mask])
        return RankedCandidates(self.classes, *columns, self.gt_column, self.gt_image)

    def results(
        self, thresholds: Thresholds = NUMPY_THRESHOLDS, image_weights: np.ndarray | None = None
    ) -> ClassResults:
        """AP and recall per class.

        Args:
            thresholds (tuple[float, ...] | None): see :func:`class_results`.
            image_weights (ndarray, optional): (I,) int, how often each image counts (a bootstrap resample).

        Returns:
            ClassResults: K classes.
        """
        num_gt, num_pred, num_tp = counts = self._counts(image_weights)
        # At true positives only: between them precision falls, so no maximum lies there.
        column, recall, precision = self._curve_points(counts, image_weights)
        ap = interpolated_ap(recall, precision, column, len(self.classes), thresholds)
        with np.errstate(invalid="ignore"):  # a resample may leave a class without ground truth: NaN
            max_recall = num_tp / num_gt
        return ClassResults(self.classes, np.where(num_gt > 0, ap, np.nan), max_recall, *map(_as_counts, counts))

    def curve_points(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Precision-recall curves of all classes, at their true positives.

        Returns:
            tuple[ndarray, ndarray, ndarray]: index of the class, recall and precision, (T,) each, by class and in order
            of rank.
        """
        return self._curve_points(self._counts(None), None)

    def _counts(self, image_weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Ground truth, candidates and true positives of each class, (K,) each."""
        size, weights, gt_weights = len(self.classes), None, None
        if image_weights is not None:
            weights, gt_weights = image_weights.take(self.image), image_weights.take(self.gt_image)
        num_tp = np.bincount(self.column[self.is_tp], None if weights is None else weights[self.is_tp], size)
        return np.bincount(self.gt_column, gt_weights, size), np.bincount(self.column, weights, size), num_tp

    def _curve_points(self, counts, image_weights) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        num_gt, num_pred, num_tp = counts
        weights = None if image_weights is None else image_weights.take(self.image)
        tps = np.flatnonzero(self.is_tp)
        column = self.column[tps]
        # Ranks and hits count from each class's own beginning in the one sorted table.
        rank = (tps + 1 if weights is None else np.cumsum(weights)[tps]) - (np.cumsum(num_pred) - num_pred)[column]
        hits = np.arange(1, len(tps) + 1) if weights is None else np.cumsum(weights[tps])
        hits = hits - (np.cumsum(num_tp) - num_tp)[column]
        # In a resample a class may be without ground truth, and a curve may begin with images that do not count.
        with np.errstate(invalid="ignore"):
            return column, hits / num_gt[column], hits / np.maximum(rank, 1)


def rank_candidates(
    pred_classes: np.ndarray,
    scores: np.ndarray,
    is_tp: np.ndarray,
    gt_classes: np.ndarray,
    pred_image: np.ndarray | None = None,
    gt_image: np.ndarray | None = None,
) -> RankedCandidates:
    """Sort all candidates once; equal scores keep their order, classes without ground truth are left out.

    Args:
        pred_classes, scores, is_tp: (N,) class, finite score, flag.
        gt_classes (ndarray): (M,) int, one entry per ground-truth triplet.
        pred_image, gt_image (ndarray, optional): (N,), (M,) int; needed for ``image_weights`` only.

    Returns:
        RankedCandidates: N' <= N candidates.
    """
    classes, column, gt_column = class_columns(pred_classes, gt_classes)
    pred_image = np.zeros(len(column), np.int64) if pred_image is None else pred_image
    gt_image = np.zeros(len(gt_column), np.int64) if gt_image is None else gt_image
    return rank_columns(classes, column, scores, np.asarray(is_tp, dtype=bool), pred_image, gt_column, gt_image)


def class_columns(pred_classes: np.ndarray, gt_classes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number the classes that have ground truth.

    Args:
        pred_classes, gt_classes (ndarray): (N,), (M,) int.

    Returns:
        tuple[ndarray, ndarray, ndarray]: (K,) int classes, ascending; (N,) int, index of each candidate's class, -1
        without ground truth; (M,) int, that of the ground truth.
    """
    classes, gt_column = np.unique(gt_classes, return_inverse=True)
    column = np.searchsorted(classes, pred_classes)
    # searchsorted gives K for a class behind the last one; -1, no class, stands there.
    known = np.append(classes, -1)[column] == pred_classes
    return classes, np.where(known, column, -1), gt_column.ravel()


def rank_columns(
    classes: np.ndarray,
    column: np.ndarray,
    scores: np.ndarray,
    is_tp: np.ndarray,
    pred_image: np.ndarray,
    gt_column: np.ndarray,
    gt_image: np.ndarray,
) -> RankedCandidates:
    """Sort candidates by class and score once; equal scores keep their order.

    Args:
        classes (ndarray): (K,) int; a class may be without ground truth.
        column (ndarray): (N,) int, index of each candidate's class; -1 leaves it out.
        scores, is_tp, pred_image (ndarray): (N,) finite score, flag, image.
        gt_column, gt_image (ndarray): (M,) int, class index and image of the ground truth.

    Returns:
        RankedCandidates: N' <= N candidates.
    """
    known = np.flatnonzero(column >= 0)
    # lexsort takes its last key first and is stable: equal scores keep the order of the table.
    rows = known[np.lexsort((-scores[known], column[known]))]
    return RankedCandidates(classes, rows, column[rows], is_tp[rows], pred_image[rows], gt_column, gt_image)


def class_results(
    pred_classes: np.ndarray,
    scores: np.ndarray,
    is_tp: np.ndarray,
    gt_classes: np.ndarray,
    thresholds: Thresholds = NUMPY_THRESHOLDS,
) -> ClassResults:
    """AP per class from one sort of all candidates.

    Args:
        pred_classes, scores, is_tp, gt_classes: see :func:`rank_candidates`.
        thresholds (tuple[float, ...] | None): AP is the mean over these recalls of the largest precision at a recall
            >= threshold (VOC 2007). None: the area under that curve (VOC 2010).

    Returns:
        ClassResults: K classes.
    """
    return rank_candidates(pred_classes, scores, is_tp, gt_classes).results(thresholds)


def interpolated_ap(
    recall: np.ndarray, precision: np.ndarray, column: np.ndarray, num_classes: int, thresholds: Thresholds
) -> np.ndarray:
    """AP from the points of T true positives, by class and in order of rank.

    Args:
        recall, precision (ndarray): (T,) at each true positive.
        column (ndarray): (T,) int, ascending class index.
        num_classes (int): K.
        thresholds (tuple[float, ...] | None): see :func:`class_results`.

    Returns:
        ndarray: (K,), 0 without true positive.
    """
    ap = np.zeros(num_classes)
    if not len(recall):
        return ap
    # The column ascends, so these are the classes with a true positive.
    starts = np.flatnonzero(np.diff(column, prepend=-1))
    if thresholds is None:
        ends = np.append(starts[1:], len(column))
        ap[column[starts]] = [_area(recall[a:b], precision[a:b]) for a, b in zip(starts, ends, strict=True)]
        return ap
    for threshold in thresholds:
        reached = np.where(recall >= threshold, precision, 0.0)
        ap[column[starts]] += np.maximum.reduceat(reached, starts) / len(thresholds)
    return ap


def mean_over_classes(values: np.ndarray) -> float:
    """Mean of (K,) APs or recalls over the classes that have one; NaN if none has."""
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else float("nan")


def _area(recall: np.ndarray, precision: np.ndarray) -> float:
    """Area under the largest precision at or beyond each recall, of one class."""
    # From the right: the best precision that is still to come.
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall, prepend=0.0) * envelope).sum())


def _as_counts(values: np.ndarray) -> np.ndarray:
    """Weighted counts come as floats; weights are whole numbers."""
    return values.astype(np.int64)
