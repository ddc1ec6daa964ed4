"""Evaluation: pure arithmetic in :mod:`.functional`, mmengine metrics around it in :mod:`.metrics`.

Prediction files are evaluated by :mod:`.offline`.
"""

from .metrics import DumpHOIPredictions, HICODetMetric, HOIAMetric, HOIBoxMetric, InteractivenessMetric, VCOCOMetric

__all__ = ["DumpHOIPredictions", "HICODetMetric", "HOIAMetric", "HOIBoxMetric", "InteractivenessMetric", "VCOCOMetric"]
