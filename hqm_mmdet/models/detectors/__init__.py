"""HOI detectors."""

from .conditional_hoi import ConditionalHOI
from .hoi_detr import HOIDETR
from .qpic import QPIC

__all__ = ["HOIDETR", "QPIC", "ConditionalHOI"]
