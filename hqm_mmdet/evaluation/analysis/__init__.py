"""From predictions and annotations to all that a report shows, as plain numbers."""

from .model import (
    Analysis,
    ClassDifference,
    ClassRow,
    Comparison,
    ErrorKind,
    ImageCase,
    MetricDifference,
    MetricValue,
    Triplet,
)

__all__ = [
    "Analysis",
    "ClassDifference",
    "ClassRow",
    "Comparison",
    "ErrorKind",
    "ImageCase",
    "MetricDifference",
    "MetricValue",
    "Triplet",
]
