"""What every metric ranks, in one form: candidates, ground truth, and who took what."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .average_precision import ClassResults, RankedCandidates, mean_over_classes, rank_columns
from .matching import pair_overlaps
from .protocol import EvalProtocol
from .triplets import TripletCoder, TripletTable


@dataclass(frozen=True, eq=False)
class JudgedCandidates:
    """N candidates and M ground-truth triplets of a set of images, matched; AP is computed over K columns.

    A column is a class of the metric: a triplet class (HICO-DET and its like; those with ground truth), a verb (HOI-A),
    a role (V-COCO). Candidates that the metric does not know at all (of V-COCO detections of persons without label, of
    QPIC's HICO-DET those in images without any box) are not among them.

    Args:
        preds (TripletTable): candidates; per image in descending score order. Of V-COCO one per (detection, role), its
            class with the role's verb.
        gts (TripletTable): ground truth.
        coder (TripletCoder): decodes ``classes`` of both tables. V-COCO compares no object class: there the object
            label is 0 for an object, 1 (``absent_object_label``) for none.
        pred_column (ndarray): (N,) int in 0..K-1, or -1 for a class without ground truth, which the metric ignores.
        gt_column (ndarray): (M,) int in 0..K-1.
        is_tp (ndarray): (N,) bool.
        taken_by (ndarray): (M,) int, row of the candidate that took the ground truth, -1 if none did. HOI-A lets one
            candidate take several.
        classes (ndarray): (K,) int, number of the column's class: triplet class, verb, or the role's verb.
        column_labels (ndarray): (K, 2) int, verb label and object label of each column; -1 where the column spans all
            object classes.
        counted (ndarray): (K,) bool, columns in the headline mean.
        protocol (EvalProtocol): box conventions and recall thresholds.
        empty_counts_zero (bool): whether a column without ground truth counts 0 (HOI-A) or is left out of means.
        later_images_first (bool): among equal scores, whether later images rank first (V-COCO's official script).
        pair (ndarray, optional): (N,) int >= 0, candidates with equal numbers share image, boxes and object label;
            spares work where many do (V-COCO: the roles of a detection).
    """

    preds: TripletTable
    gts: TripletTable
    coder: TripletCoder
    pred_column: np.ndarray
    gt_column: np.ndarray
    is_tp: np.ndarray
    taken_by: np.ndarray
    classes: np.ndarray
    column_labels: np.ndarray
    counted: np.ndarray
    protocol: EvalProtocol
    empty_counts_zero: bool = False
    later_images_first: bool = False
    pair: np.ndarray | None = None

    def ranked(self) -> RankedCandidates:
        """Candidates sorted by column and score; ``rows`` are rows of ``preds``."""
        return self._ranked

    def tie_order(self) -> np.ndarray:
        """(N,) int, rows of ``preds`` in the order that decides between equal scores."""
        image = self.preds.image
        return np.argsort(-image, kind="stable") if self.later_images_first else np.arange(len(image))

    def class_results(self, image_weights: np.ndarray | None = None) -> ClassResults:
        """AP, recall and counts of all K columns; AP and recall are NaN without ground truth.

        Args:
            image_weights (ndarray, optional): (I,) int, how often each image counts (a bootstrap resample).
        """
        return self.ranked().results(self.protocol.recall_thresholds, image_weights)

    def mean(self, image_weights: np.ndarray | None = None) -> float:
        """The metric's headline value, a fraction; arguments as of :meth:`class_results`."""
        return self.mean_of(self.class_results(image_weights).ap)

    def mean_of(self, ap: np.ndarray) -> float:
        """Mean of (K,) APs by the metric's rule; NaN if no column counts."""
        ap = ap[self.counted]
        return mean_over_classes(np.nan_to_num(ap) if self.empty_counts_zero else ap)

    def overlaps(self, pred_rows: np.ndarray, gt_rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Overlaps of candidates with ground truth, by the protocol's box conventions.

        Args:
            pred_rows, gt_rows (ndarray): (J,) int, rows of ``preds`` and ``gts``.

        Returns:
            tuple[ndarray, ndarray]: (J,) float64, IoU of the subjects and of the objects; the latter is 1 where both
            have no object, NaN where only one of them has one.
        """
        sub, obj = pair_overlaps(self.preds, pred_rows, self.gts, gt_rows, self.protocol)
        absent = self.coder.absent_object_label
        pred_absent = self.coder.decode(self.preds.classes[pred_rows])[1] == absent
        gt_absent = self.coder.decode(self.gts.classes[gt_rows])[1] == absent
        obj = np.where(pred_absent & gt_absent, 1.0, np.where(pred_absent ^ gt_absent, np.nan, obj))
        return sub.astype(np.float64), obj.astype(np.float64)

    @cached_property
    def _ranked(self) -> RankedCandidates:
        order = self.tie_order()
        preds = (self.pred_column[order], self.preds.scores[order], self.is_tp[order], self.preds.image[order])
        ranked = rank_columns(self.classes, *preds, self.gt_column, self.gts.image)
        # They were sorted in tie order; back to rows of preds.
        return replace(ranked, rows=order[ranked.rows])
