"""Losses that mmdet does not have, and class weights."""

from .box_terms import box_terms
from .dynamic_reweighting import DynamicReweighting
from .verb_focal_loss import VerbFocalLoss

__all__ = ["DynamicReweighting", "VerbFocalLoss", "box_terms"]
