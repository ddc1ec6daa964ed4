"""From the formats in which data sets are published to HOIA-style annotation files."""

from .v_coco import vcoco_entries, vcoco_valid_pairs

__all__ = ["vcoco_entries", "vcoco_valid_pairs"]
