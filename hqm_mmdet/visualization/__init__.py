"""What a person gets to see of pairs: which of them (repeats, selection), and how (pictures)."""

from .attention_view import draw_pair_attention, sheet_of
from .drawing import PairView, draw_pairs
from .hoi_visualizer import HOIVisualizer
from .repeats import merge_repeats
from .selection import ShownPair, TripletSelection

__all__ = [
    "HOIVisualizer",
    "PairView",
    "ShownPair",
    "TripletSelection",
    "draw_pair_attention",
    "draw_pairs",
    "merge_repeats",
    "sheet_of",
]
