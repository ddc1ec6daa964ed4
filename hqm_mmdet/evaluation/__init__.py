"""Evaluation: pure arithmetic in :mod:`.functional`, mmengine metrics around it in :mod:`.metrics`."""

from .metrics import HICODetMetric, HOIAMetric, VCOCOMetric

__all__ = ["HICODetMetric", "HOIAMetric", "VCOCOMetric"]
