"""HOI detectors."""

from .cdn import CDN
from .conditional_hoi import ConditionalHOI
from .hoi_detr import HOIDETR
from .hotr import HOTR
from .qpic import QPIC

__all__ = ["CDN", "HOIDETR", "HOTR", "QPIC", "ConditionalHOI"]
