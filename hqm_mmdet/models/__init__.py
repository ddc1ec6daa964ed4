"""Detectors and their parts. Reading order: detectors/hoi_detr.py, layers/decoder.py, heads/hoi_head.py."""

from .detectors import CDN, HOIDETR, QPIC, ConditionalHOI
from .heads import ConditionalHOIHead, HOIHead
from .layers import (
    AMMAttention,
    ConditionalHOIDecoder,
    FusedAttention,
    HOIDecoder,
    HOIDecoderLayer,
    HOIEncoder,
    HOIEncoderLayer,
)
from .losses import DynamicReweighting, VerbFocalLoss
from .query_mining import AMMQueryGenerator, GBSQueryGenerator, JointLearning
from .task_modules import ObjectClassCost, PairGIoUCost, PairL1Cost, PairMatcher, PairNMS, VerbCost

__all__ = [
    "AMMAttention",
    "AMMQueryGenerator",
    "CDN",
    "ConditionalHOI",
    "ConditionalHOIDecoder",
    "ConditionalHOIHead",
    "DynamicReweighting",
    "FusedAttention",
    "GBSQueryGenerator",
    "HOIDETR",
    "HOIDecoder",
    "HOIDecoderLayer",
    "HOIEncoder",
    "HOIEncoderLayer",
    "HOIHead",
    "JointLearning",
    "ObjectClassCost",
    "PairGIoUCost",
    "PairL1Cost",
    "PairMatcher",
    "PairNMS",
    "QPIC",
    "VerbCost",
    "VerbFocalLoss",
]
