"""Losses that mmdet does not have."""

from .verb_focal_loss import VerbFocalLoss

__all__ = ["VerbFocalLoss"]
