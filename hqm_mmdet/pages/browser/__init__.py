"""The page that shows a data set: numbers, verb-object matrix, images by triplet, what checks found."""

from .page import render_browser
from .source import BrowsedDataset

__all__ = ["BrowsedDataset", "render_browser"]
