"""Data structures shared by all rooms: the sample type, the HOI vocabulary, box helpers."""

from .boxes import cxcywh_to_xyxy, pair_iou, xyxy_to_cxcywh
from .hoi_data_sample import HOIDataSample, new_pairs
from .vocabulary import HOIVocabulary

__all__ = ["HOIDataSample", "HOIVocabulary", "cxcywh_to_xyxy", "new_pairs", "pair_iou", "xyxy_to_cxcywh"]
