"""What surrounds training: loop, hooks, sampler, precision. All of it is mmengine's, made safe to interrupt."""

from .hooks import (
    AJLHook,
    ClassCheckHook,
    DataCheckHook,
    FiniteLossHook,
    LogHistoryHook,
    MeanLossHook,
    RandomStateHook,
    ReweightingHook,
    SafeCheckpointHook,
    StopOnSigtermHook,
    TrainingSummaryHook,
    WeightCheckHook,
)
from .runner import (
    BFloat16OptimWrapper,
    CalmRunner,
    DataShareLogProcessor,
    FusedAdamW,
    ResumableSampler,
    ResumableTrainLoop,
    SummaryOptimWrapperConstructor,
    TensorClipOptimWrapper,
)

__all__ = [
    "AJLHook",
    "BFloat16OptimWrapper",
    "CalmRunner",
    "ClassCheckHook",
    "DataCheckHook",
    "DataShareLogProcessor",
    "FiniteLossHook",
    "FusedAdamW",
    "LogHistoryHook",
    "MeanLossHook",
    "RandomStateHook",
    "ResumableSampler",
    "ResumableTrainLoop",
    "ReweightingHook",
    "SafeCheckpointHook",
    "StopOnSigtermHook",
    "SummaryOptimWrapperConstructor",
    "TensorClipOptimWrapper",
    "TrainingSummaryHook",
    "WeightCheckHook",
]
