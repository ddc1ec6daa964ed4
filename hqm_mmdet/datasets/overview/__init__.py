"""What is in a data set: numbers of its splits, and images that stand for all the others."""

from .examples import Example, choose_examples
from .model import DatasetOverview, Flag, SplitOverview
from .numbers import overview_of

__all__ = ["DatasetOverview", "Example", "Flag", "SplitOverview", "choose_examples", "overview_of"]
