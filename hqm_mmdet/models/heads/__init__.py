"""Heads: decoder states to pairs, and their losses."""

from .hoi_head import HOIHead
from .hotr_head import HOTRHead
from .instance_head import InstanceHead

__all__ = ["HOIHead", "HOTRHead", "InstanceHead"]
