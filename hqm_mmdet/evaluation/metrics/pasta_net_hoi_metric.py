"""PaStaNet-HOI: HICO-DET's metric over the 520 HOIs that say that something happens."""

from dataclasses import dataclass

import numpy as np

from hqm_mmdet.registry import METRICS

from .hico_det_metric import HICODetMetric, HICORanking
from .records import ImageRecord


@METRICS.register_module()
class PaStaNetHOIMetric(HICODetMetric):
    """mAP as on HICO-DET, without a rare set: results are published as one number (extended TIN, TPAMI 2021).

    Whether the published numbers average and match as HICO-DET's evaluation is not said; that they do is this project's
    reading. Keys: ``pastanet/full``, ``pastanet/max_recall``.

    Args:
        known_object (bool): report the known-object setting, of which nothing is published. Default: False.
        **kwargs: as in :class:`HICODetMetric`.
    """

    NEEDS_RARE_SET = False
    default_prefix = "pastanet"

    def __init__(self, known_object: bool = False, **kwargs) -> None:
        super().__init__(known_object=known_object, **kwargs)

    def rank(self, records: list[ImageRecord]) -> "PaStaNetRanking":
        """As in the base class."""
        return PaStaNetRanking(**vars(super().rank(records)))


@dataclass(frozen=True, eq=False)
class PaStaNetRanking(HICORanking):
    """Means over all classes only."""

    def class_sets(self) -> dict[str, np.ndarray]:
        """None."""
        return {}

    def _rows(self, image_weights: np.ndarray | None) -> dict[str, dict[str, float]]:
        rows = super()._rows(image_weights)
        return {name: {key: row[key] for key in ("full", "max_recall")} for name, row in rows.items()}
