"""Hard-positive query mining (HQM, ECCV 2022). Reading order: joint_learning.py, gbs.py, amm.py, box_shift.py."""

from .amm import AMMQueryGenerator, MaskRule, draw_drop_mask
from .box_shift import IoUBoxShift, JitterBoxShift, ReleasedBoxShift
from .gbs import GBSQueryGenerator, pair_geometry
from .hard_queries import AttentionRecorder, HardQueries, LearnablePass
from .joint_learning import JointLearning

__all__ = [
    "AMMQueryGenerator",
    "AttentionRecorder",
    "GBSQueryGenerator",
    "HardQueries",
    "IoUBoxShift",
    "JitterBoxShift",
    "JointLearning",
    "LearnablePass",
    "MaskRule",
    "ReleasedBoxShift",
    "draw_drop_mask",
    "pair_geometry",
]
