"""Evaluation arithmetic in pure NumPy: arrays in, arrays out; no tensors, files or ranks.

Stages: candidates of one image (:mod:`.candidates`, :mod:`.images`) -> one table of all images
(:mod:`.triplets`) -> true positives (:mod:`.matching`) -> AP per class (:mod:`.average_precision`) -> means
(:mod:`.hico`). What evaluators disagree about is a value (:mod:`.protocol`).
"""

from .average_precision import ClassResults, class_results
from .candidates import select_candidates, stable_top_k, verb_mask_by_object
from .hico import evaluate_triplets, known_object_mask, mean_results
from .images import ground_truth_table, prediction_table
from .matching import aligned_iou, match_triplets
from .protocol import MATLAB, POCKET, PPDM, PROTOCOLS, QPIC, EvalProtocol, get_protocol
from .suppression import TripletNMS
from .triplets import TripletCoder, TripletTable, stack_images
from .vcoco import to_official_detections

__all__ = [
    "MATLAB",
    "POCKET",
    "PPDM",
    "PROTOCOLS",
    "QPIC",
    "ClassResults",
    "EvalProtocol",
    "TripletCoder",
    "TripletNMS",
    "TripletTable",
    "aligned_iou",
    "class_results",
    "evaluate_triplets",
    "get_protocol",
    "ground_truth_table",
    "known_object_mask",
    "match_triplets",
    "mean_results",
    "prediction_table",
    "select_candidates",
    "stable_top_k",
    "stack_images",
    "to_official_detections",
    "verb_mask_by_object",
]
