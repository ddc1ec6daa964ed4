"""Hard-positive query mining (HQM, ECCV 2022). Reading order: joint_learning.py, gbs.py, amm.py, box_shift.py."""

from .amm import AMMQueryGenerator, MaskRule, draw_drop_mask
from .box_shift import IoUBoxShift, JitterBoxShift, ReleasedBoxShift
from .gbs import GBSQueryGenerator, pair_geometry
from .joint_learning import HardQueries, JointLearning, LearnablePass, Miner

__all__ = [
    "AMMQueryGenerator",
    "GBSQueryGenerator",
    "HardQueries",
    "IoUBoxShift",
    "JitterBoxShift",
    "JointLearning",
    "LearnablePass",
    "MaskRule",
    "Miner",
    "ReleasedBoxShift",
    "draw_drop_mask",
    "pair_geometry",
]
