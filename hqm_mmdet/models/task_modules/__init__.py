"""Targets, matching costs and the matcher."""

from .costs import ObjectClassCost, PairGIoUCost, PairL1Cost, VerbCost
from .matcher import Assignment, PairMatcher
from .targets import PairTargets

__all__ = [
    "Assignment",
    "ObjectClassCost",
    "PairGIoUCost",
    "PairL1Cost",
    "PairMatcher",
    "PairTargets",
    "VerbCost",
]
