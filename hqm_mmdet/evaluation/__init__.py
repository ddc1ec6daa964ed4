"""Evaluation: pure arithmetic in :mod:`.functional`, mmengine metrics around it in :mod:`.metrics`."""

from .metrics import HICODetMetric

__all__ = ["HICODetMetric"]
