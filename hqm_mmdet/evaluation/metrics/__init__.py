"""Metrics around :mod:`hqm_mmdet.evaluation.functional`."""

from .hico_det_metric import HICODetMetric

__all__ = ["HICODetMetric"]
