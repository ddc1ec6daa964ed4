"""Metrics around :mod:`hqm_mmdet.evaluation.functional`."""

from .hico_det_metric import HICODetMetric
from .hoia_metric import HOIAMetric
from .vcoco_metric import VCOCOMetric

__all__ = ["HICODetMetric", "HOIAMetric", "VCOCOMetric"]
