"""Two-stage detectors: instances -> pair sampler -> pair features -> head.

Reading order: two_stage_hoi.py, instances.py, pair_samplers.py, training_pairs.py, tin_head.py.
"""

from .detector_instances import DetectorInstances
from .instances import AnnotatedInstances, MissingDetections, StoredInstances
from .interactiveness import Interactiveness
from .pair_samplers import ThresholdPairs, pairs_of
from .tin_head import TINHead
from .training_pairs import JitteredPairs
from .two_stage_hoi import TwoStageHOI

__all__ = [
    "AnnotatedInstances",
    "DetectorInstances",
    "Interactiveness",
    "JitteredPairs",
    "MissingDetections",
    "StoredInstances",
    "ThresholdPairs",
    "TINHead",
    "TwoStageHOI",
    "pairs_of",
]
