"""Transformer layers with fused attention; parameter names are mmdet's DETR's."""

from .attention import FusedAttention
from .decoder import HOIDecoder, HOIDecoderLayer
from .encoder import HOIEncoder, HOIEncoderLayer
from .memory import Memory, QuerySet

__all__ = [
    "FusedAttention",
    "HOIDecoder",
    "HOIDecoderLayer",
    "HOIEncoder",
    "HOIEncoderLayer",
    "Memory",
    "QuerySet",
]
