"""HOI data sets: one reader, one short class per data set, transforms at both ends of mmdet's pipelines."""

from .annotations import ImageAnnotations, merge_pairs, read_annotations
from .hico_det import HICODetDataset
from .hoi_a import HOIADataset
from .hoi_dataset import HOIDataset
from .pasta_net_hoi import PaStaNetHOIDataset
from .problems import AnnotationError
from .toy_hoi import ToyHOIDataset
from .transforms import (
    AntialiasedResize,
    BadImageError,
    ColorJitter,
    KeepInMemory,
    LoadHOIAnnotations,
    LoadHOIImage,
    PackHOIInputs,
    RandomCropAtScale,
)
from .v_coco import VCOCODataset

__all__ = [
    "AnnotationError",
    "AntialiasedResize",
    "BadImageError",
    "ColorJitter",
    "HICODetDataset",
    "HOIADataset",
    "HOIDataset",
    "ImageAnnotations",
    "KeepInMemory",
    "LoadHOIAnnotations",
    "LoadHOIImage",
    "PaStaNetHOIDataset",
    "PackHOIInputs",
    "RandomCropAtScale",
    "ToyHOIDataset",
    "VCOCODataset",
    "merge_pairs",
    "read_annotations",
]
