"""From the formats in which data sets are published, and annotation tools export, to HOIA-style annotation files."""

from .coco_hois import coco_images
from .cvat import cvat_images
from .drawn import DrawnImage, entries_of, names_of
from .hico_det import instances_entries, mat_entries
from .hoi_a import hoia_entries
from .hoitr import odgt_entries
from .label_studio import label_studio_images
from .v_coco import vcoco_entries, vcoco_valid_pairs
from .v_coco_instances import vcoco_instances_entries
from .writing import summary, write_entries, write_valid_pairs

__all__ = [
    "DrawnImage",
    "coco_images",
    "cvat_images",
    "entries_of",
    "hoia_entries",
    "instances_entries",
    "label_studio_images",
    "mat_entries",
    "names_of",
    "odgt_entries",
    "summary",
    "vcoco_entries",
    "vcoco_instances_entries",
    "vcoco_valid_pairs",
    "write_entries",
    "write_valid_pairs",
]
