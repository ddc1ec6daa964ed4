"""Targets, matching costs, the matcher, pair NMS."""

from .costs import ObjectClassCost, PairGIoUCost, PairL1Cost, VerbCost
from .instance_matcher import InstanceMatcher
from .matcher import Assignment, PairMatcher
from .pair_nms import PairNMS
from .pointer_costs import InteractionCost, PointedClassCost, PointerCost
from .pointer_targets import InstanceTargets, PointedPairs, PointerAssignment, PointerTargets
from .targets import PairTargets

__all__ = [
    "Assignment",
    "InstanceMatcher",
    "InstanceTargets",
    "InteractionCost",
    "ObjectClassCost",
    "PairGIoUCost",
    "PairL1Cost",
    "PairMatcher",
    "PairNMS",
    "PairTargets",
    "PointedClassCost",
    "PointedPairs",
    "PointerAssignment",
    "PointerCost",
    "PointerTargets",
    "VerbCost",
]
