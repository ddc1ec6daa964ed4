"""HOI detectors."""

from .hoi_detr import HOIDETR
from .hotr import HOTR
from .qpic import QPIC

__all__ = ["HOIDETR", "HOTR", "QPIC"]
