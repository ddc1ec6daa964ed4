"""Losses that mmdet does not have, and class weights."""

from .dynamic_reweighting import DynamicReweighting
from .giou_loss import GIoULoss
from .image_terms import CLIPMimicLoss, CLIPReconstructionLoss
from .terms import box_terms, by_layer, mean_over_processes, weighted
from .verb_focal_loss import VerbFocalLoss

__all__ = [
    "CLIPMimicLoss",
    "CLIPReconstructionLoss",
    "DynamicReweighting",
    "GIoULoss",
    "VerbFocalLoss",
    "box_terms",
    "by_layer",
    "mean_over_processes",
    "weighted",
]
