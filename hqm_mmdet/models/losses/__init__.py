"""Losses that mmdet does not have."""

from .box_terms import box_terms
from .verb_focal_loss import VerbFocalLoss

__all__ = ["VerbFocalLoss", "box_terms"]
