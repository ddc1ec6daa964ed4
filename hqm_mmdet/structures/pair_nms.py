"""Greedy suppression of repeated pairs (pair-wise NMS of CDN), in NumPy: its decisions are sequential anyway."""

import numpy as np


def pair_nms(
    sub_boxes: np.ndarray,
    obj_boxes: np.ndarray,
    groups: np.ndarray,
    scores: np.ndarray,
    threshold: float = 0.7,
    alpha: float = 1.0,
    beta: float = 0.5,
) -> np.ndarray:
    """Pairs of one image that no better pair of their group suppresses.

    From the best score down, a kept pair suppresses those of its group with ``IoU(subjects)^alpha * IoU(objects)^beta >
    threshold``. Source: CDN's ``pairwise_nms`` (``hico_eval.py``), in float64. Overlaps are computed at once for all
    pairs that share a group; what remains sequential is one step per overlap above the threshold, at most N^2 / 2.

    Args:
        sub_boxes, obj_boxes (ndarray): (N, 4) x1, y1, x2, y2 in pixels. Coordinates are inclusive pixel indices, so a
            zero box (absent object) covers one pixel and overlaps another one fully.
        groups (ndarray): (N,) int; pairs of different groups do not meet.
        scores (ndarray): (N,) float. Of equal scores the last comes first, as in the official code's reversed sort.
        threshold (float): what an overlap must exceed; equality is kept. Default: 0.7.
        alpha, beta (float): exponents of the subjects' and the objects' IoU; 0 ignores the boxes. Default: 1 and 0.5.

    Returns:
        ndarray: (K,) int, kept pairs in descending score order.
    """
    order = np.argsort(scores, kind="stable")[::-1]
    sub_boxes, obj_boxes, groups = (np.asarray(column)[order] for column in (sub_boxes, obj_boxes, groups))
    # Above the diagonal of the sorted scores: each pair of the same group once, the better one first.
    better, worse = np.nonzero(np.triu(groups[:, None] == groups, 1))
    overlap = _iou(sub_boxes, better, worse) ** alpha * _iou(obj_boxes, better, worse) ** beta
    repeats = overlap > threshold
    kept = [True] * len(order)
    for first, second in zip(better[repeats].tolist(), worse[repeats].tolist(), strict=True):  # ascending in `first`
        if kept[first]:
            kept[second] = False
    return order[np.array(kept, dtype=bool)]


def _iou(boxes: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(J,) IoU of boxes ``first`` and ``second`` (J,) out of (N, 4), inclusive pixel coordinates."""
    boxes = boxes.astype(np.float64).reshape(-1, 4)
    area = (boxes[:, 2:] - boxes[:, :2] + 1).prod(1)
    low, high = np.maximum(boxes[first, :2], boxes[second, :2]), np.minimum(boxes[first, 2:], boxes[second, 2:])
    intersection = (high - low + 1).clip(min=0).prod(1)
    union = area[first] + area[second] - intersection
    return np.divide(intersection, union, out=np.zeros_like(union), where=union > 0)
