"""Metrics around :mod:`hqm_mmdet.evaluation.functional`; ``docs/adding_a_metric.md`` extends :class:`HOIMetric`."""

from .base import HOIMetric, Ranking
from .box_metric import HOIBoxMetric
from .dump_predictions import DumpHOIPredictions
from .hico_det_metric import HICODetMetric
from .hoia_metric import HOIAMetric
from .interactiveness_metric import InteractivenessMetric
from .pasta_net_hoi_metric import PaStaNetHOIMetric
from .records import ImageRecord, make_record
from .vcoco_metric import VCOCOMetric

__all__ = [
    "DumpHOIPredictions",
    "HICODetMetric",
    "HOIAMetric",
    "HOIBoxMetric",
    "HOIMetric",
    "ImageRecord",
    "InteractivenessMetric",
    "PaStaNetHOIMetric",
    "Ranking",
    "VCOCOMetric",
    "make_record",
]
