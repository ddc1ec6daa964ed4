"""Hooks: each touches one moment of training."""

from .ajl_hook import AJLHook
from .class_check_hook import ClassCheckHook
from .data_check_hook import DataCheckHook
from .fold_norms_hook import FoldNormsHook
from .log_history_hook import LogHistoryHook
from .loss_hooks import FiniteLossHook, MeanLossHook
from .random_state_hook import RandomStateHook
from .reweighting_hook import ReweightingHook
from .safe_checkpoint_hook import SafeCheckpointHook
from .stop_on_sigterm_hook import StopOnSigtermHook
from .training_summary_hook import TrainingSummaryHook
from .weight_check_hook import WeightCheckHook

__all__ = [
    "AJLHook",
    "ClassCheckHook",
    "DataCheckHook",
    "FiniteLossHook",
    "FoldNormsHook",
    "LogHistoryHook",
    "MeanLossHook",
    "RandomStateHook",
    "ReweightingHook",
    "SafeCheckpointHook",
    "StopOnSigtermHook",
    "TrainingSummaryHook",
    "WeightCheckHook",
]
