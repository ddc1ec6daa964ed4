"""Between stages a and b, where asked for: repeated triplets of an image are dropped."""

from dataclasses import dataclass

from hqm_mmdet.structures import pair_nms

from .triplets import TripletTable


@dataclass(frozen=True)
class TripletNMS:
    """CDN's pair NMS for HICO-DET: candidates of one image that repeat a better one of their triplet class vanish.

    It follows the cut to 100 candidates, and nothing takes the free places.

    Args:
        threshold, alpha, beta (float): see :func:`~hqm_mmdet.structures.pair_nms`.
    """

    threshold: float = 0.7
    alpha: float = 1.0
    beta: float = 0.5

    def __call__(self, table: TripletTable) -> TripletTable:
        """N candidates of one image to the K kept ones, in descending score order; of equals the last comes first."""
        kept = pair_nms(
            table.sub_boxes, table.obj_boxes, table.classes, table.scores, self.threshold, self.alpha, self.beta
        )
        return table[kept]
