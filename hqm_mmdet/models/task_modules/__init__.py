"""Targets, matching costs, the matcher, pair NMS."""

from .costs import ObjectClassCost, PairGIoUCost, PairL1Cost, VerbCost
from .matcher import Assignment, PairMatcher
from .pair_nms import PairNMS
from .targets import PairTargets

__all__ = [
    "Assignment",
    "ObjectClassCost",
    "PairGIoUCost",
    "PairL1Cost",
    "PairMatcher",
    "PairNMS",
    "PairTargets",
    "VerbCost",
]
