"""From the formats in which data sets are published to HOIA-style annotation files."""

from .hico_det import instances_entries, mat_entries
from .hoi_a import hoia_entries
from .hoitr import odgt_entries
from .v_coco import vcoco_entries, vcoco_valid_pairs
from .v_coco_instances import vcoco_instances_entries
from .writing import summary, write_entries, write_valid_pairs

__all__ = [
    "hoia_entries",
    "instances_entries",
    "mat_entries",
    "odgt_entries",
    "summary",
    "vcoco_entries",
    "vcoco_instances_entries",
    "vcoco_valid_pairs",
    "write_entries",
    "write_valid_pairs",
]
