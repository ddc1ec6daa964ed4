"""Detectors and their parts. Reading order: detectors/hoi_detr.py, layers/decoder.py, heads/hoi_head.py."""

from .clip import FrozenCLIPVision
from .detectors import CDN, GENVLKT, HOICLIP, HOIDETR, HOTR, QPIC, ConditionalHOI
from .heads import ConditionalHOIHead, HOIClassHead, HOICLIPHead, HOIHead, HOTRHead, InstanceHead
from .layers import (
    AMMAttention,
    ConditionalHOIDecoder,
    FusedAttention,
    HOIDecoder,
    HOIDecoderLayer,
    HOIEncoder,
    HOIEncoderLayer,
    KnowledgeIntegrationDecoder,
)
from .losses import CLIPMimicLoss, CLIPReconstructionLoss, DynamicReweighting, VerbFocalLoss
from .query_mining import AMMQueryGenerator, GBSQueryGenerator, JointLearning
from .task_modules import (
    HOICost,
    InstanceMatcher,
    InteractionCost,
    ObjectClassCost,
    PairGIoUCost,
    PairL1Cost,
    PairMatcher,
    PairNMS,
    PointedClassCost,
    PointerCost,
    VerbCost,
)

__all__ = [
    "KnowledgeIntegrationDecoder",
    "HOICost",
    "HOIClassHead",
    "HOICLIPHead",
    "HOICLIP",
    "GENVLKT",
    "FrozenCLIPVision",
    "CLIPReconstructionLoss",
    "CLIPMimicLoss",
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
    "PairNMS",
    "PointedClassCost",
    "PointerCost",
    "QPIC",
    "VerbCost",
    "VerbFocalLoss",
]
