"""Transforms at both ends of a pipeline; mmdet's and mmcv's stand between them, unchanged."""

from .formatting import PackHOIInputs
from .loading import BadImageError, LoadHOIAnnotations, LoadHOIImage

__all__ = ["BadImageError", "LoadHOIAnnotations", "LoadHOIImage", "PackHOIInputs"]
