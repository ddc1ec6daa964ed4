"""Heads: decoder states to pairs, and their losses."""

from .conditional_head import ConditionalHOIHead, PointedStates
from .hoi_head import HOIHead

__all__ = ["ConditionalHOIHead", "HOIHead", "PointedStates"]
