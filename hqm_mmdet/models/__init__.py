"""Detectors and their parts. Reading order: detectors/hoi_detr.py, layers/decoder.py, heads/hoi_head.py."""

from .detectors import HOIDETR, HOTR, QPIC
from .heads import HOIHead, HOTRHead, InstanceHead
from .layers import AMMAttention, FusedAttention, HOIDecoder, HOIDecoderLayer, HOIEncoder, HOIEncoderLayer
from .losses import VerbFocalLoss
from .query_mining import AMMQueryGenerator, GBSQueryGenerator, JointLearning
from .task_modules import (
    InstanceMatcher,
    InteractionCost,
    ObjectClassCost,
    PairGIoUCost,
    PairL1Cost,
    PairMatcher,
    PointedClassCost,
    PointerCost,
    VerbCost,
)

__all__ = [
    "AMMAttention",
    "AMMQueryGenerator",
    "FusedAttention",
    "GBSQueryGenerator",
    "HOIDETR",
    "HOIDecoder",
    "HOIDecoderLayer",
    "HOIEncoder",
    "HOIEncoderLayer",
    "HOIHead",
    "HOTR",
    "HOTRHead",
    "InstanceHead",
    "InstanceMatcher",
    "InteractionCost",
    "JointLearning",
    "ObjectClassCost",
    "PairGIoUCost",
    "PairL1Cost",
    "PairMatcher",
    "PointedClassCost",
    "PointerCost",
    "QPIC",
    "VerbCost",
    "VerbFocalLoss",
]
