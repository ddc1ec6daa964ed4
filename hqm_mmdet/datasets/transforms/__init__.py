"""Transforms at both ends of a pipeline; mmdet's and mmcv's stand between them, unchanged."""

from .formatting import PackHOIInputs
from .keeping import KeepInMemory
from .loading import LoadHOIAnnotations, LoadHOIImage
from .pixels import BadImageError

__all__ = ["BadImageError", "KeepInMemory", "LoadHOIAnnotations", "LoadHOIImage", "PackHOIInputs"]
