"""Is a data set sound? Problems and numbers, found without training on it."""

from .check import check_dataset
from .checked_entry import CheckedEntry
from .findings import Problem, SplitReport, Statistics
from .kinds import ERROR, KINDS, LEVELS, SUSPICIOUS, WARNING, Kind

__all__ = [
    "ERROR",
    "KINDS",
    "LEVELS",
    "SUSPICIOUS",
    "WARNING",
    "CheckedEntry",
    "Kind",
    "Problem",
    "SplitReport",
    "Statistics",
    "check_dataset",
]
