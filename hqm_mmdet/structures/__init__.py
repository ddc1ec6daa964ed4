"""Data structures shared by all rooms: the sample type, the HOI vocabulary, box helpers, pair suppression."""

from .boxes import box_giou, cxcywh_to_xyxy, pair_iou, xyxy_to_cxcywh
from .class_names import ClassNameError, match_class_names, plain_name
from .hoi_classes import HOIClassError, HOIClasses, load_hoi_classes, load_metainfo, unseen_hois
from .hoi_data_sample import HOIDataSample, new_pairs, scale_of, score_fields
from .pair_nms import pair_nms
from .poses import NUM_KEYPOINTS, poses_of_boxes, with_poses
from .vocabulary import HOIVocabulary

__all__ = [
    "NUM_KEYPOINTS",
    "ClassNameError",
    "HOIClassError",
    "HOIClasses",
    "HOIDataSample",
    "HOIVocabulary",
    "box_giou",
    "cxcywh_to_xyxy",
    "load_hoi_classes",
    "load_metainfo",
    "match_class_names",
    "new_pairs",
    "pair_iou",
    "pair_nms",
    "plain_name",
    "poses_of_boxes",
    "scale_of",
    "score_fields",
    "unseen_hois",
    "with_poses",
    "xyxy_to_cxcywh",
]
