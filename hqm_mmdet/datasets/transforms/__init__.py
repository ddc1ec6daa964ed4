"""Transforms at both ends of a pipeline; mmdet's and mmcv's stand between them, unchanged."""

from .augmentation import AntialiasedResize, ColorJitter, RandomCropAtScale
from .formatting import PackHOIInputs
from .keeping import KeepInMemory
from .loading import LoadHOIAnnotations, LoadHOIImage
from .pixels import BadImageError

__all__ = [
    "AntialiasedResize",
    "BadImageError",
    "ColorJitter",
    "KeepInMemory",
    "LoadHOIAnnotations",
    "LoadHOIImage",
    "PackHOIInputs",
    "RandomCropAtScale",
]
