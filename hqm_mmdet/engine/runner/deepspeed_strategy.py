"""Training by DeepSpeed: gradients and optimizer states are spread over the processes.

Not imported with the package: the config fragment names the class with its module.
"""

import importlib.util
import os
from collections.abc import Callable

from mmengine._strategy import DeepSpeedStrategy
from mmengine.optim import BaseOptimWrapper
from mmengine.runner import CheckpointLoader
from torch import nn

from hqm_mmdet.errors import ConfigError

BATCH_SIZE = "train_micro_batch_size_per_gpu"
WRAPPERS = ("OptimWrapper", "DeepSpeedOptimWrapper")


class CheckedDeepSpeedStrategy(DeepSpeedStrategy):
    """mmengine's ``DeepSpeedStrategy`` for configs of this project, see ``configs/_base_/strategies/deepspeed.py``.

    * ``optim_wrapper`` stays as it is: its ``clip_grad`` becomes DeepSpeed's ``gradient_clipping``.
    * ``load_from`` may be a file, as anywhere else, and is checked.
    * Checkpoints of epochs and iterations are DeepSpeed's folders, which are read by running code: nothing goes on from
      them here. ``best_*.pth`` are files as ever.

    ZeRO's stages 1 and 2, in float32. In stage 3 a layer's weights are there in its own forward pass only, but keys
    and values of all decoder layers are projected at once.

    Args:
        zero_optimization (dict, optional): DeepSpeed's setting. Default: stage 1.
        **kwargs: as in mmengine's ``DeepSpeedStrategy``.

    Raises:
        ConfigError: DeepSpeed is not installed, or stage 3, another precision or gradient accumulation is asked for.
    """

    def __init__(self, *, zero_optimization: dict | None = None, **kwargs):
        if importlib.util.find_spec("deepspeed") is None:
            raise ConfigError(
                "The config trains by DeepSpeed, which is not installed: `pip install 'deepspeed<0.18'`. Or leave out "
                "_base_/strategies/deepspeed.py, or take _base_/strategies/fsdp.py, which needs nothing else."
            )
        zero = zero_optimization or dict(stage=1)
        if zero.get("stage", 0) > 2:
            raise ConfigError("strategy.zero_optimization.stage: 1 or 2; decoders can't be trained in stage 3.")
        if kwargs.get("gradient_accumulation_steps") not in (None, 1):
            raise ConfigError("strategy.gradient_accumulation_steps: 1 only, since HQM takes its turns by updates.")
        for name in ("fp16", "bf16", "amp"):
            if (kwargs.get(name) or {}).get("enabled"):
                raise ConfigError(
                    f"strategy.{name}: DeepSpeed would change the type of the weights, with which boxes and losses are "
                    "not computed here. Train in float32, or with --amp and _base_/strategies/fsdp.py."
                )
        super().__init__(zero_optimization=zero, **kwargs)
        # the config's optimizer is none of DeepSpeed's own
        self.config.setdefault("zero_allow_untested_optimizer", True)
        self.config.setdefault("zero_force_ds_cpu_optimizer", False)

    def build_optim_wrapper(self, optim_wrapper: dict, model: nn.Module) -> BaseOptimWrapper:
        """See mmengine; clipping is DeepSpeed's.

        Raises:
            ConfigError: DeepSpeed has no such wrapper or clipping.
        """
        settings = dict(optim_wrapper)
        if settings.get("type", WRAPPERS[0]) not in WRAPPERS:
            raise ConfigError(
                f"optim_wrapper.type={settings['type']} does not work with DeepSpeed. With --amp, train with "
                "_base_/strategies/fsdp.py."
            )
        clipping = dict(norm_type=2, max_norm=0.0) | (settings.pop("clip_grad", None) or {})
        if clipping.keys() != {"norm_type", "max_norm"} or clipping["norm_type"] != 2:
            raise ConfigError("With DeepSpeed, optim_wrapper.clip_grad is max_norm of the gradient's 2-norm alone.")
        if settings.pop("accumulative_counts", 1) != 1:
            raise ConfigError("With DeepSpeed, no gradients are gathered: remove optim_wrapper.accumulative_counts.")
        self.config.setdefault("gradient_clipping", clipping["max_norm"])
        # mmengine's runner knows the batch size, and tells it to a strategy of its own name only
        self.config.setdefault(BATCH_SIZE, self.dispatch_kwargs[BATCH_SIZE])
        return super().build_optim_wrapper(settings | dict(type="DeepSpeedOptimWrapper"), model)

    def load_checkpoint(self, filename: str, *, callback: Callable | None = None, **kwargs) -> dict:
        """Weights of a file; ``callback``, that is :class:`~hqm_mmdet.engine.WeightCheckHook`, loads them."""
        if os.path.isdir(filename):
            raise ConfigError(f"{filename} is a folder of DeepSpeed. load_from takes a file, such as best_*.pth.")
        checkpoint = CheckpointLoader.load_checkpoint(filename, map_location="cpu")
        callback(checkpoint)
        self.model.module.load_state_dict(checkpoint["state_dict"])
        if hasattr(self.model.optimizer, "refresh_fp32_params"):
            self.model.optimizer.refresh_fp32_params()  # its copy is what the next step would write back
        return checkpoint

    def save_checkpoint(self, filename: str, *, extra_ckpt: dict, callback: Callable | None = None, **kwargs) -> None:
        """See mmengine, which does not ask the hooks."""
        if callback is not None:
            callback(extra_ckpt)
        super().save_checkpoint(filename, extra_ckpt=extra_ckpt, **kwargs)
