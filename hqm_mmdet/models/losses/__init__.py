"""Losses that mmdet does not have, and class weights."""

from .dynamic_reweighting import DynamicReweighting
from .terms import box_terms, by_layer, mean_over_processes
from .verb_focal_loss import VerbFocalLoss

__all__ = ["DynamicReweighting", "VerbFocalLoss", "box_terms", "by_layer", "mean_over_processes"]
