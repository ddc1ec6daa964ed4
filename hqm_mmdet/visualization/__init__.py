"""Pictures of pairs."""

from .drawing import PairView, draw_pairs
from .hoi_visualizer import HOIVisualizer

__all__ = ["HOIVisualizer", "PairView", "draw_pairs"]
