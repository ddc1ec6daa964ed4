"""Interactiveness AP: how well pairs that interact are told from pairs that do not."""

from dataclasses import dataclass

import numpy as np

from .average_precision import interpolated_ap

# Exact tenths, which a recall of .3, .6 or .7 reaches; it misses those of NumPy's arange, the field's usual ones.
TENTHS = tuple(k / 10 for k in range(11))


@dataclass(frozen=True)
class InteractivenessAP:
    """TIN's binary AP.

    Args:
        interactive, non_interactive (float): 11-point AP of either score; NaN without a pair of the kind.
        mean (float): of both.
    """

    interactive: float
    non_interactive: float

    @property
    def mean(self) -> float:
        """The binary mAP."""
        return (self.interactive + self.non_interactive) / 2


def interactiveness_ap(scores: np.ndarray, interactive: np.ndarray) -> InteractivenessAP:
    """AP over detected pairs; every one counts, duplicates too, so recall ends at 1.

    Source: TIN (CVPR 2019), section 4.4, and the official evaluation.

    Args:
        scores (ndarray): (P, 2), of being interactive and of not being so.
        interactive (ndarray): (P,) bool, see :func:`interactive_pairs`.
    """
    interactive = np.asarray(interactive, dtype=bool)
    return InteractivenessAP(_ap(scores[:, 0], interactive), _ap(scores[:, 1], ~interactive))


def interactive_pairs(
    sub_boxes: np.ndarray,
    obj_boxes: np.ndarray,
    gt_sub_boxes: np.ndarray,
    gt_obj_boxes: np.ndarray,
    min_iou: float = 0.5,
) -> np.ndarray:
    """Which detected pairs of an image are annotated pairs, whatever they do and whatever the object is.

    Args:
        sub_boxes, obj_boxes (ndarray): (P, 4) x1, y1, x2, y2 in pixels.
        gt_sub_boxes, gt_obj_boxes (ndarray): (G, 4) likewise.
        min_iou (float): IoU that both boxes must exceed with the same pair's; coordinates are inclusive pixel indices,
            whole numbers in the official files. Default: 0.5.

    Returns:
        ndarray: (P,) bool.
    """
    overlap = np.minimum(_iou(sub_boxes, gt_sub_boxes), _iou(obj_boxes, gt_obj_boxes))
    return (overlap > min_iou).any(1)


def _ap(scores: np.ndarray, positive: np.ndarray) -> float:
    num_positives = int(positive.sum())
    if not num_positives:
        return float("nan")
    ranks = np.flatnonzero(positive[np.argsort(-scores, kind="stable")]) + 1
    hits = np.arange(1, num_positives + 1)
    one_class = np.zeros(num_positives, int)
    return float(interpolated_ap(hits / num_positives, hits / ranks, one_class, 1, TENTHS)[0])


def _iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N, M) IoU of (N, 4) and (M, 4) boxes, inclusive pixel coordinates."""
    a, b = (np.asarray(boxes, np.float64).reshape(-1, 4) for boxes in (a, b))
    area_a, area_b = ((boxes[:, 2:] - boxes[:, :2] + 1).prod(1) for boxes in (a, b))
    sides = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2]) + 1
    intersection = sides.clip(min=0).prod(2)
    return intersection / np.maximum(area_a[:, None] + area_b - intersection, np.finfo(float).tiny)
