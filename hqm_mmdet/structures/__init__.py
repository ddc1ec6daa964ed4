"""Data structures shared by all rooms: the sample type, the HOI vocabulary, box helpers, pair suppression."""

from .boxes import cxcywh_to_xyxy, pair_iou, xyxy_to_cxcywh
from .hoi_classes import HOIClassError, HOIClasses, load_hoi_classes, load_metainfo, unseen_hois
from .hoi_data_sample import HOIDataSample, new_pairs, score_fields
from .pair_nms import pair_nms
from .vocabulary import HOIVocabulary

__all__ = [
    "HOIClassError",
    "HOIClasses",
    "HOIDataSample",
    "HOIVocabulary",
    "cxcywh_to_xyxy",
    "load_hoi_classes",
    "load_metainfo",
    "new_pairs",
    "pair_iou",
    "pair_nms",
    "score_fields",
    "unseen_hois",
    "xyxy_to_cxcywh",
]
