"""Transformer layers with fused attention; parameter names are mmdet's DETR's."""

from .attention import AMMAttention, AttentionRecorder, AttentionRule, FusedAttention
from .conditional import ConditionalCrossAttention, ConditionalHOIDecoder, ConditionalSelfAttention
from .decoder import HOIDecoder, HOIDecoderLayer
from .encoder import HOIEncoder, HOIEncoderLayer
from .instances import InstanceMemory, Instances, PointerStates
from .memory import Memory, ProjectedMemory, QuerySet

__all__ = [
    "AMMAttention",
    "AttentionRecorder",
    "AttentionRule",
    "ConditionalCrossAttention",
    "ConditionalHOIDecoder",
    "ConditionalSelfAttention",
    "FusedAttention",
    "HOIDecoder",
    "HOIDecoderLayer",
    "HOIEncoder",
    "HOIEncoderLayer",
    "InstanceMemory",
    "Instances",
    "Memory",
    "PointerStates",
    "ProjectedMemory",
    "QuerySet",
]
