"""Parts that mmengine's runner builds by name."""

from .adamw import FusedAdamW
from .calm_runner import CalmRunner
from .log_processor import DataShareLogProcessor
from .optim_wrapper import BFloat16OptimWrapper, TensorClipOptimWrapper
from .optim_wrapper_constructor import SummaryOptimWrapperConstructor
from .train_loop import ResumableSampler, ResumableTrainLoop

__all__ = [
    "BFloat16OptimWrapper",
    "CalmRunner",
    "DataShareLogProcessor",
    "FusedAdamW",
    "ResumableSampler",
    "ResumableTrainLoop",
    "SummaryOptimWrapperConstructor",
    "TensorClipOptimWrapper",
]
