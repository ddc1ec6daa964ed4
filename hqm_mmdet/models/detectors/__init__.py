"""HOI detectors."""

from .cdn import CDN
from .conditional_hoi import ConditionalHOI
from .genvlkt import GENVLKT
from .hoi_detr import HOIDETR
from .hoiclip import HOICLIP
from .hotr import HOTR
from .qpic import QPIC

__all__ = ["CDN", "GENVLKT", "HOICLIP", "HOIDETR", "HOTR", "QPIC", "ConditionalHOI"]
