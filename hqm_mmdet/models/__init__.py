"""Detectors and their parts. Reading order: detectors/hoi_detr.py, layers/decoder.py, heads/hoi_head.py."""

from .detectors import CDN, HOIDETR, QPIC
from .heads import HOIHead
from .layers import AMMAttention, FusedAttention, HOIDecoder, HOIDecoderLayer, HOIEncoder, HOIEncoderLayer
from .losses import DynamicReweighting, VerbFocalLoss
from .query_mining import AMMQueryGenerator, GBSQueryGenerator, JointLearning
from .task_modules import ObjectClassCost, PairGIoUCost, PairL1Cost, PairMatcher, PairNMS, VerbCost

__all__ = [
    "AMMAttention",
    "AMMQueryGenerator",
    "CDN",
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
