"""HOI detectors."""

from .hoi_detr import HOIDETR
from .qpic import QPIC

__all__ = ["HOIDETR", "QPIC"]
