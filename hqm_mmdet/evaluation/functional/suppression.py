"""Between stages a and b, where asked for: what repeats a better prediction is dropped (CDN's pair NMS)."""

from dataclasses import dataclass

import numpy as np

from hqm_mmdet.structures import pair_nms

from .triplets import TripletTable


@dataclass(frozen=True)
class _Suppression:
    """Settings of :func:`~hqm_mmdet.structures.pair_nms`; the defaults are CDN's."""

    threshold: float = 0.7
    alpha: float = 1.0
    beta: float = 0.5

    def kept(self, sub_boxes, obj_boxes, groups, scores) -> np.ndarray:
        """Kept rows, see :func:`~hqm_mmdet.structures.pair_nms`."""
        return pair_nms(sub_boxes, obj_boxes, groups, scores, self.threshold, self.alpha, self.beta)


@dataclass(frozen=True)
class TripletNMS(_Suppression):
    """For HICO-DET: candidates of one image that repeat a better one of their triplet class vanish.

    It follows the cut to 100 candidates, and nothing takes the free places.

    Args:
        threshold, alpha, beta (float): see :func:`~hqm_mmdet.structures.pair_nms`.
    """

    def __call__(self, table: TripletTable) -> TripletTable:
        """N candidates of one image to the K kept ones, in descending score order; of equals the last comes first."""
        return table[self.kept(table.sub_boxes, table.obj_boxes, table.classes, table.scores)]


@dataclass(frozen=True)
class WholePairNMS(_Suppression):
    """For V-COCO: pairs of one image that repeat a better one with the same object label vanish, with all verbs.

    Args:
        threshold, alpha, beta (float): see :func:`~hqm_mmdet.structures.pair_nms`.
    """

    def __call__(
        self, sub_boxes: np.ndarray, obj_boxes: np.ndarray, obj_labels: np.ndarray, verb_scores: np.ndarray
    ) -> np.ndarray:
        """Kept pairs (K,), ascending, of (P, 4) boxes, (P,) labels, (P, V) scores; a pair ranks by its best verb."""
        ranks = np.nan_to_num(verb_scores).max(1, initial=0.0)
        return np.sort(self.kept(sub_boxes, obj_boxes, obj_labels, ranks))
