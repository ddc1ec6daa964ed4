"""Predictions written as other code bases write theirs, so that their code can compute numbers, too."""

from .write import FORMATS, write_predictions

__all__ = ["FORMATS", "write_predictions"]
