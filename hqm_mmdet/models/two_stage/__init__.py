"""Two-stage detectors: instances -> pair sampler -> pair features -> head.

Reading order: two_stage_hoi.py, instances.py, pair_samplers.py, training_pairs.py, tin_head.py. What heads on a
detector's features get: scenes.py, detector_features.py, feature_readers.py, given_boxes.py,
pooled_features.py. A detector that mmdet does not have: h_deformable_detr.py.
Without HOI training: clip_crops.py, clip_pair_head.py.
"""

from .clip_crops import CLIPCrops, RawImage
from .clip_pair_head import CLIPPairHead
from .detector_features import DetectorFeatures
from .detector_instances import DetectorInstances
from .h_deformable_detr import HDeformableDETR
from .instances import AnnotatedInstances, MissingDetections, StoredInstances
from .interactiveness import Interactiveness
from .pair_samplers import ThresholdPairs, pairs_of
from .pooled_features import PooledFeatures
from .scenes import InstanceError, Scene, of_equal_size
from .tin_head import TINHead
from .training_pairs import JitteredPairs
from .two_stage_hoi import TwoStageHOI, in_original_frame

__all__ = [
    "AnnotatedInstances",
    "CLIPCrops",
    "CLIPPairHead",
    "DetectorFeatures",
    "DetectorInstances",
    "HDeformableDETR",
    "InstanceError",
    "Interactiveness",
    "JitteredPairs",
    "MissingDetections",
    "PooledFeatures",
    "RawImage",
    "Scene",
    "StoredInstances",
    "ThresholdPairs",
    "TINHead",
    "TwoStageHOI",
    "in_original_frame",
    "of_equal_size",
    "pairs_of",
]
