"""From predictions and annotations to all that a report shows, as plain numbers."""

from .analyse import RESAMPLES, analyse, analyse_file
from .compare import compare, compare_files
from .metric_values import metric_values, paired_metrics
from .model import (
    Analysis,
    ClassDifference,
    ClassRow,
    Comparison,
    ImageCase,
    Interactiveness,
    MetricDifference,
    MetricValue,
    Triplet,
)
from .run import Run, read_run
from .training_counts import TrainingCounts, count_training

__all__ = [
    "RESAMPLES",
    "Analysis",
    "ClassDifference",
    "ClassRow",
    "Comparison",
    "ImageCase",
    "Interactiveness",
    "MetricDifference",
    "MetricValue",
    "Run",
    "TrainingCounts",
    "Triplet",
    "analyse",
    "analyse_file",
    "compare",
    "compare_files",
    "count_training",
    "metric_values",
    "paired_metrics",
    "read_run",
]
