"""Heads: decoder states to pairs, and their losses."""

from .conditional_head import ConditionalHOIHead, InteractionPointStates
from .hoi_head import HOIHead
from .hotr_head import HOTRHead
from .instance_head import InstanceHead
from .pair_head import PairHead

__all__ = ["ConditionalHOIHead", "HOIHead", "HOTRHead", "InstanceHead", "InteractionPointStates", "PairHead"]
