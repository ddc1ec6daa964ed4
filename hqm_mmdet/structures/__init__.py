"""Data structures shared by all rooms: the sample type, the HOI vocabulary, box helpers, pair suppression."""

from .boxes import cxcywh_to_xyxy, pair_iou, xyxy_to_cxcywh
from .hoi_data_sample import HOIDataSample, new_pairs
from .pair_nms import pair_nms
from .vocabulary import HOIVocabulary

__all__ = [
    "HOIDataSample",
    "HOIVocabulary",
    "cxcywh_to_xyxy",
    "new_pairs",
    "pair_iou",
    "pair_nms",
    "xyxy_to_cxcywh",
]
