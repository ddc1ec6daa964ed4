"""What surrounds training: loop, hooks, sampler, precision. All of it is mmengine's, made safe to interrupt."""

from .hooks import (
    AJLHook,
    ClassCheckHook,
    DataCheckHook,
    FiniteLossHook,
    FoldNormsHook,
    LogHistoryHook,
    MeanLossHook,
    RandomStateHook,
    ReweightingHook,
    SafeCheckpointHook,
    StopOnSigtermHook,
    WeightCheckHook,
)
from .runner import (
    BFloat16OptimWrapper,
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
    "ClassCheckHook",
    "DataCheckHook",
    "DataShareLogProcessor",
    "FiniteLossHook",
    "FoldNormsHook",
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
    "WeightCheckHook",
]
