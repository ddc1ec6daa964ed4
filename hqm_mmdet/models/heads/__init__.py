"""Heads: decoder states to pairs, and their losses."""

from .conditional_head import ConditionalHOIHead, InteractionPointStates
from .hoi_class_head import HOIClassHead, InteractionStates
from .hoi_head import HOIHead
from .hoiclip_head import HOICLIPHead
from .hotr_head import HOTRHead
from .instance_head import InstanceHead
from .pair_head import PairHead

__all__ = [
    "ConditionalHOIHead",
    "HOICLIPHead",
    "HOIClassHead",
    "HOIHead",
    "HOTRHead",
    "InstanceHead",
    "InteractionPointStates",
    "InteractionStates",
    "PairHead",
]
