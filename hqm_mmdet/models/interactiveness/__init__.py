"""Does a pair interact at all? Pair maps, the interactiveness network, what its answer does to a host's scores.

Knows pairs (boxes, labels, poses), not detectors. Reading order: pair_maps.py, pair_encoder.py,
interactiveness_head.py, suppression.py, network.py, non_interaction_suppression.py.
"""

from .backbone import SlimResNet
from .interactiveness_head import INTERACTIVE, NON_INTERACTIVE, InteractivenessHead
from .jitter import PairJitter, jittered_boxes
from .layers import ContextAttention, MapNet, RegionStream
from .losses import interactiveness_loss, weighted_logit_loss
from .network import SuppressionError, load_interactiveness, own_size, raw_images
from .non_interaction_suppression import NonInteractionSuppression
from .pair_encoder import PairEncoder, PairFeatures
from .pair_maps import boxes_in_map, pair_maps
from .query_interactiveness import QueryInteractiveness
from .roi_crop import roi_crop
from .suppression import (
    SuppressionThresholds,
    ThresholdError,
    best_objects,
    low_grade_suppression,
    multiply,
    suppress,
)
from .threshold_search import ThresholdSearch

__all__ = [
    "INTERACTIVE",
    "NON_INTERACTIVE",
    "ContextAttention",
    "InteractivenessHead",
    "MapNet",
    "NonInteractionSuppression",
    "PairEncoder",
    "PairFeatures",
    "PairJitter",
    "QueryInteractiveness",
    "RegionStream",
    "SlimResNet",
    "SuppressionError",
    "SuppressionThresholds",
    "ThresholdError",
    "ThresholdSearch",
    "best_objects",
    "boxes_in_map",
    "interactiveness_loss",
    "load_interactiveness",
    "jittered_boxes",
    "low_grade_suppression",
    "multiply",
    "own_size",
    "pair_maps",
    "raw_images",
    "roi_crop",
    "suppress",
    "weighted_logit_loss",
]
