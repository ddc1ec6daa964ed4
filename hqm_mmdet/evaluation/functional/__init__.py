"""Evaluation arithmetic in pure NumPy: arrays in, arrays out; no tensors, files or ranks.

HICO-DET and HOI-A: candidates of one image (:mod:`.candidates`, :mod:`.images`) -> one table of all images
(:mod:`.triplets`) -> true positives (:mod:`.matching`) -> AP per class (:mod:`.average_precision`) -> means
(:mod:`.hico`, :mod:`.hoia`). What evaluators disagree about is a value (:mod:`.protocol`). V-COCO has a room of its own
(:mod:`.vcoco`). What any metric ranks has one form (:mod:`.judged`), from which errors are broken down
(:mod:`.errors`). Confidence intervals: :mod:`.bootstrap`.
"""

from .average_precision import ClassResults, RankedCandidates, class_results, rank_candidates
from .bootstrap import bootstrap_intervals, within_fractions
from .candidates import select_candidates, stable_top_k, verb_mask_by_object
from .error_kinds import KINDS
from .errors import ErrorBreakdown, ErrorGain, break_down
from .hico import evaluate_triplets, judge_triplets, known_object_mask, mean_results, rank_triplets
from .hoia import judge_verbs, rank_verbs, verb_table
from .images import ground_truth_table, prediction_table
from .interactiveness import InteractivenessAP, interactive_pairs, interactiveness_ap
from .judged import JudgedCandidates
from .matching import aligned_iou, match_triplets
from .protocol import HOIA, MATLAB, POCKET, PPDM, PROTOCOLS, QPIC, VCOCO, EvalProtocol, get_protocol
from .suppression import TripletNMS, WholePairNMS
from .triplets import TripletCoder, TripletTable, stack_images
from .vcoco import (
    AgentTable,
    PersonTable,
    RankedVCOCO,
    VCOCORoles,
    agents_from_pairs,
    check_pairs,
    judge_roles,
    official_boxes,
    persons_from_hois,
    rank_vcoco,
    stack_tables,
    to_official_detections,
)

__all__ = [
    "HOIA",
    "KINDS",
    "MATLAB",
    "POCKET",
    "PPDM",
    "PROTOCOLS",
    "QPIC",
    "VCOCO",
    "AgentTable",
    "ClassResults",
    "ErrorBreakdown",
    "ErrorGain",
    "EvalProtocol",
    "InteractivenessAP",
    "JudgedCandidates",
    "PersonTable",
    "RankedCandidates",
    "RankedVCOCO",
    "TripletCoder",
    "TripletNMS",
    "TripletTable",
    "VCOCORoles",
    "WholePairNMS",
    "agents_from_pairs",
    "aligned_iou",
    "bootstrap_intervals",
    "break_down",
    "check_pairs",
    "class_results",
    "evaluate_triplets",
    "get_protocol",
    "ground_truth_table",
    "interactive_pairs",
    "interactiveness_ap",
    "judge_roles",
    "judge_triplets",
    "judge_verbs",
    "known_object_mask",
    "match_triplets",
    "mean_results",
    "official_boxes",
    "persons_from_hois",
    "prediction_table",
    "rank_candidates",
    "rank_triplets",
    "rank_vcoco",
    "rank_verbs",
    "select_candidates",
    "stable_top_k",
    "stack_images",
    "stack_tables",
    "to_official_detections",
    "verb_mask_by_object",
    "verb_table",
    "within_fractions",
]
