"""Pictures of pairs."""

from .attention_view import draw_pair_attention, sheet_of
from .drawing import PairView, draw_pairs
from .hoi_visualizer import HOIVisualizer

__all__ = ["HOIVisualizer", "PairView", "draw_pair_attention", "draw_pairs", "sheet_of"]
