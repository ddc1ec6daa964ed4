"""Heads: decoder states to pairs, and their losses."""

from .conditional_head import ConditionalHOIHead, PointedStates
from .hoi_head import HOIHead
from .hotr_head import HOTRHead
from .instance_head import InstanceHead

__all__ = ["ConditionalHOIHead", "HOIHead", "HOTRHead", "InstanceHead", "PointedStates"]
