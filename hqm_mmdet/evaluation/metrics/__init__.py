"""Metrics around :mod:`hqm_mmdet.evaluation.functional`."""

from .box_metric import HOIBoxMetric
from .dump_predictions import DumpHOIPredictions
from .hico_det_metric import HICODetMetric
from .hoia_metric import HOIAMetric
from .vcoco_metric import VCOCOMetric

__all__ = ["DumpHOIPredictions", "HICODetMetric", "HOIAMetric", "HOIBoxMetric", "VCOCOMetric"]
