"""HOI detectors."""

from .cdn import CDN
from .hoi_detr import HOIDETR
from .qpic import QPIC

__all__ = ["CDN", "HOIDETR", "QPIC"]
