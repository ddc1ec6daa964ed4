"""Is a data set sound? Problems and numbers, found without training on it."""

from .check import check_dataset
from .findings import ERROR, WARNING, Problem, SplitReport, Statistics

__all__ = ["ERROR", "WARNING", "Problem", "SplitReport", "Statistics", "check_dataset"]
