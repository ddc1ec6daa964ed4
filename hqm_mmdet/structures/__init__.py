"""Data structures shared by all rooms: the sample type, the HOI vocabulary, box helpers, pair suppression."""

from .boxes import cxcywh_to_xyxy, pair_iou, xyxy_to_cxcywh
from .class_names import ClassNameError, match_class_names
from .hoi_data_sample import HOIDataSample, new_pairs, scale_of
from .pair_nms import pair_nms
from .vocabulary import HOIVocabulary

__all__ = [
    "ClassNameError",
    "HOIDataSample",
    "HOIVocabulary",
    "cxcywh_to_xyxy",
    "match_class_names",
    "new_pairs",
    "pair_iou",
    "pair_nms",
    "scale_of",
    "xyxy_to_cxcywh",
]
