"""Transformer layers with fused attention; parameter names are mmdet's DETR's."""

from .attention import AMMAttention, AttentionRecorder, AttentionRule, FusedAttention
from .conditional import ConditionalCrossAttention, ConditionalHOIDecoder, ConditionalSelfAttention
from .decoder import HOIDecoder, HOIDecoderLayer
from .encoder import HOIEncoder, HOIEncoderLayer
from .instances import InstanceMemory, Instances, PointerStates
from .knowledge import CLIPMemory, KnowledgeIntegrationDecoder
from .memory import Memory, ProjectedMemory, QuerySet, join_queries, learnable_query_set
from .subject_object import split_pairs

__all__ = [
    "AMMAttention",
    "AttentionRecorder",
    "AttentionRule",
    "CLIPMemory",
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
    "KnowledgeIntegrationDecoder",
    "Memory",
    "PointerStates",
    "ProjectedMemory",
    "QuerySet",
    "join_queries",
    "learnable_query_set",
    "split_pairs",
]
