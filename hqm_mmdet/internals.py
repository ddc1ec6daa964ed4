"""Private names of OpenMMLab and PyTorch that this project relies on: nowhere else are any read (a lint rule sees it).

Each is read by one function here, or overridden and listed in :data:`OVERRIDDEN`. A test looks all of them up in the
installed stack, so that a version which renames one is noticed before a training behaves otherwise.
"""

from collections.abc import Callable

import torch
from mmengine._strategy.deepspeed import DeepSpeedOptimWrapper
from mmengine.model import ImgDataPreprocessor
from mmengine.optim import BaseOptimWrapper, OptimWrapper, OptimWrapperDict
from mmengine.registry import Registry
from mmengine.runner import BaseLoop, Runner
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

# Methods that our classes override: were one renamed, ours would never be called, and nobody would say so.
OVERRIDDEN = {
    "mmengine.hooks.CheckpointHook": ("_save_best_checkpoint", "_save_checkpoint_with_step"),
    "mmengine.infer.BaseInferencer": ("_init_model", "_init_pipeline", "_init_visualizer"),
    "mmengine.optim.OptimWrapper": ("_clip_grad",),
    "mmdet.models.BaseDetector": ("_forward",),
    "mmdet.models.DetectionTransformer": ("_forward", "_init_layers"),
    "mmdet.models.DetrTransformerEncoder": ("_init_layers",),
    "mmdet.models.DetrTransformerEncoderLayer": ("_init_layers",),
    "mmdet.models.DetrTransformerDecoder": ("_init_layers",),
    "mmdet.models.DetrTransformerDecoderLayer": ("_init_layers",),
}
# What ResumableTrainLoop, which is one, goes on with.
OF_THE_LOOP = ("_decide_current_val_interval", "_epoch", "_iter", "_max_epochs")


def registry_locations(registry: Registry) -> list[str]:
    """Modules that a registry imports before its first look-up."""
    return registry._locations


def loaded_from(runner: Runner) -> str | None:
    """The checkpoint that a runner starts from or goes on with."""
    return runner._load_from


def is_resuming(runner: Runner) -> bool:
    """Whether a runner goes on with an interrupted training."""
    return runner._resume


def is_training(runner: Runner) -> bool:
    """Whether a runner trains, and does not only test."""
    return isinstance(runner._train_loop, BaseLoop)  # a dict until Runner.train() builds it, before it loads anything


def batches_per_update(optim_wrapper: BaseOptimWrapper) -> int:
    """Batches whose gradients are gathered for one step of the optimizer."""
    # Several optimizers: each model steps them as it likes. By DeepSpeed, no gradients are gathered here.
    if isinstance(optim_wrapper, OptimWrapperDict | DeepSpeedOptimWrapper):
        return 1
    return optim_wrapper._accumulative_counts


def is_between_updates(optim_wrapper: BaseOptimWrapper) -> bool:
    """Whether gradients are gathered that wait for the next step of the optimizer."""
    return batches_per_update(optim_wrapper) > 1 and not optim_wrapper.should_update()


def replace_clipping(optim_wrapper: OptimWrapper, clip: Callable[..., Tensor]) -> None:
    """Let ``clip`` clip the gradients by their norm: called by every process, whatever share of them it has.

    mmengine's own leaves out a process without gradients, which in a collective function the others would wait for.
    """

    def clip_and_log() -> None:
        norm = clip(**optim_wrapper.clip_grad_kwargs)
        optim_wrapper.message_hub.update_scalar(f"train/{optim_wrapper.grad_name}", float(norm))

    # clipping by value knows no norm, and shares of a tensor are clipped like the whole
    if optim_wrapper.clip_grad_kwargs and optim_wrapper.clip_func is clip_grad_norm_:
        optim_wrapper._clip_grad = clip_and_log


def swaps_channels(preprocessor: ImgDataPreprocessor) -> bool:
    """Whether BGR images become RGB."""
    return preprocessor._channel_conversion


def normalises(preprocessor: ImgDataPreprocessor) -> bool:
    """Whether ``mean`` and ``std`` are applied."""
    return preprocessor._enable_normalize


def shape_of(x: Tensor) -> Tensor:
    """(D,) int64 sizes of a tensor's dimensions, which a traced graph computes anew."""
    return torch._shape_as_tensor(x)
