"""Detectors and their parts. Reading order: detectors/hoi_detr.py, layers/decoder.py, heads/hoi_head.py."""

from .detectors import CDN, HOIDETR, HOTR, QPIC, ConditionalHOI
from .heads import ConditionalHOIHead, HOIHead, HOTRHead, InstanceHead
from .interactiveness import InteractivenessHead, NonInteractionSuppression, PairEncoder, PairJitter, SlimResNet
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
from .task_modules import (
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
from .two_stage import (
    AnnotatedInstances,
    Interactiveness,
    JitteredPairs,
    StoredInstances,
    ThresholdPairs,
    TINHead,
    TwoStageHOI,
)

__all__ = [
    "AMMAttention",
    "AMMQueryGenerator",
    "AnnotatedInstances",
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
    "Interactiveness",
    "InteractivenessHead",
    "JitteredPairs",
    "JointLearning",
    "NonInteractionSuppression",
    "ObjectClassCost",
    "PairEncoder",
    "PairGIoUCost",
    "PairJitter",
    "PairL1Cost",
    "PairMatcher",
    "PairNMS",
    "PointedClassCost",
    "PointerCost",
    "QPIC",
    "SlimResNet",
    "StoredInstances",
    "TINHead",
    "ThresholdPairs",
    "TwoStageHOI",
    "VerbCost",
    "VerbFocalLoss",
]
