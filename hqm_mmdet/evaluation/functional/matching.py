"""Stage b: which candidates are true positives."""

import numpy as np

from .joining import KeyIndex
from .protocol import QPIC, EvalProtocol
from .triplets import TripletCoder, TripletTable


def match_triplets(
    preds: TripletTable, gts: TripletTable, coder: TripletCoder, protocol: EvalProtocol = QPIC
) -> np.ndarray:
    """Which candidates are true positives; see :func:`assign_triplets`.

    Returns:
        ndarray: (N,) bool.
    """
    return assign_triplets(preds, gts, coder, protocol)[0]


def assign_triplets(
    preds: TripletTable, gts: TripletTable, coder: TripletCoder, protocol: EvalProtocol = QPIC
) -> tuple[np.ndarray, np.ndarray]:
    """Match candidates with the ground truth of their image and triplet class.

    A candidate goes to the ground truth with the largest min(IoU subject, IoU object), the first one on
    ties. It is a true positive if that overlap passes the threshold and no candidate before it in the
    table took the same ground truth; there is no second choice. Ground truth without object is matched
    by the subject box alone. With ``takes_all_matches`` a candidate takes everything it overlaps enough that none
    before it took, and is a true positive if that is anything.

    Args:
        preds (TripletTable): (N,) candidates; per image in descending score order.
        gts (TripletTable): (M,) ground truth, in the order of annotation.
        coder (TripletCoder): tells which classes have no object.
        protocol (EvalProtocol): box and threshold conventions.

    Returns:
        tuple[ndarray, ndarray]: (N,) bool, true positives, and (M,) int, the candidate that took the ground truth, -1
        if none did.
    """
    is_tp, taken_by = np.zeros(len(preds), dtype=bool), np.full(len(gts), -1)
    pred_rows, gt_rows = _same_image_and_class(preds, gts)
    if not len(pred_rows):
        return is_tp, taken_by
    sub, obj = pair_overlaps(preds, pred_rows, gts, gt_rows, protocol)
    absent = coder.decode(gts.classes[gt_rows])[1] == coder.absent_object_label
    overlap = np.minimum(sub, np.where(absent, 1.0, obj))
    passes = protocol.passes(overlap)
    best = np.arange(len(pred_rows)) if protocol.takes_all_matches else _first_largest(pred_rows, overlap)
    best = best[passes[best]]
    # Candidates come by descending score, so the first claim wins; later ones are false positives.
    taken, first = np.unique(gt_rows[best], return_index=True)
    taken_by[taken] = pred_rows[best[first]]
    is_tp[taken_by[taken]] = True
    return is_tp, taken_by


def aligned_iou(boxes1: np.ndarray, boxes2: np.ndarray, protocol: EvalProtocol = QPIC) -> np.ndarray:
    """IoU of corresponding boxes.

    Args:
        boxes1, boxes2 (ndarray): (N, 4) x1, y1, x2, y2 in one frame.
        protocol (EvalProtocol): ``pixel_extent``, ``thin_boxes_match`` and ``precision`` are read.

    Returns:
        ndarray: (N,) of the protocol's precision; 0 without intersection, also for inverted and NaN boxes.
    """
    extent = protocol.pixel_extent
    boxes1, boxes2 = np.asarray(boxes1, protocol.precision), np.asarray(boxes2, protocol.precision)
    size = np.minimum(boxes1[:, 2:], boxes2[:, 2:]) - np.maximum(boxes1[:, :2], boxes2[:, :2])
    # The official loops give up before they add the pixel, so a box one pixel wide matches nothing, not even itself.
    overlaps = (size + extent > 0 if protocol.thin_boxes_match else size > 0).all(axis=1)
    intersection = np.where(overlaps, (size + extent).prod(axis=1), 0.0)
    area1 = (boxes1[:, 2:] - boxes1[:, :2] + extent).prod(axis=1)
    area2 = (boxes2[:, 2:] - boxes2[:, :2] + extent).prod(axis=1)
    union = area1 + area2 - intersection
    # The union of inverted and NaN boxes means nothing; they never overlap.
    return np.divide(intersection, union, out=np.zeros_like(union), where=overlaps)


def pair_overlaps(
    preds: TripletTable, pred_rows: np.ndarray, gts: TripletTable, gt_rows: np.ndarray, protocol: EvalProtocol = QPIC
) -> tuple[np.ndarray, np.ndarray]:
    """IoU of subjects and of objects of corresponding rows, (J,) each; that of an absent object means nothing."""
    corner = np.array([protocol.gt_corner_shift] * 2 + [0.0, 0.0])

    def overlap(name: str) -> np.ndarray:
        # The official loops compute in Python's floats.
        pred_boxes = getattr(preds, name)[pred_rows].astype(np.float64) + protocol.pred_shift
        return aligned_iou(pred_boxes, getattr(gts, name)[gt_rows] + corner, protocol)

    return overlap("sub_boxes"), overlap("obj_boxes")


def _same_image_and_class(preds: TripletTable, gts: TripletTable) -> tuple[np.ndarray, np.ndarray]:
    """Join on (image, class): rows of both tables, ordered by candidate, then by ground truth."""
    # Image and class as one number.
    num_classes = 1 + max(preds.classes.max(initial=0), gts.classes.max(initial=0))
    gt_keys = gts.image.astype(np.int64) * num_classes + gts.classes
    return KeyIndex(gt_keys).join(preds.image.astype(np.int64) * num_classes + preds.classes)


def _first_largest(groups: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Position of the first largest value of each group; ``groups`` is (J,) and ascending."""
    starts = np.flatnonzero(np.diff(groups, prepend=groups[0] - 1))
    largest = np.repeat(np.maximum.reduceat(values, starts), np.diff(np.append(starts, len(groups))))
    ties = np.flatnonzero(values == largest)
    _, first = np.unique(groups[ties], return_index=True)
    return ties[first]
