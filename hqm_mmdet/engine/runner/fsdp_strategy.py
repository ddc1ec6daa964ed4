"""Training by FSDP: weights, gradients and optimizer states are spread over the processes.

Not imported with the package, since mmengine calls strategies experimental, and torch warns that calls which they make
will go: the config fragment names the class with its module.
"""

from collections.abc import Callable
from functools import partial

from mmengine._strategy import FSDPStrategy
from mmengine.device import get_device
from mmengine.dist import is_main_process
from mmengine.optim import BaseOptimWrapper
from torch import nn
from torch.distributed.fsdp import FullStateDictConfig, FullyShardedDataParallel, StateDictType
from torch.distributed.fsdp.fully_sharded_data_parallel import OptimStateKeyType
from torch.distributed.fsdp.wrap import lambda_auto_wrap_policy

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.internals import replace_clipping
from hqm_mmdet.utils.atomic_io import move_into_place
from hqm_mmdet_cli.checks import INCOMPLETE

from .optim_wrapper import TensorClipOptimWrapper


def sharding_units(model: nn.Module) -> list[nn.Module]:
    """Parts of a detector that may be gathered by themselves: stages of the backbone, layers of the encoder.

    Not those of decoders: keys and values of all their layers are projected at once, from outside of the layers.
    """
    backbone, encoder = getattr(model, "backbone", None), getattr(model, "encoder", None)
    parts = [] if backbone is None else list(backbone.children())
    parts += getattr(encoder, "layers", [])
    return [part for part in parts if next(part.parameters(), None) is not None]


class CheckedFSDPStrategy(FSDPStrategy):
    """mmengine's ``FSDPStrategy`` for trainings of this project, see ``configs/_base_/strategies/fsdp.py``.

    * Gradients are clipped by the norm of the whole gradient; mmengine's wrapper would clip by that of the process's
      share.
    * A checkpoint is whole, the same file as without sharding, and appears under its name when it is complete.
    * What is loaded is checked by :class:`~hqm_mmdet.engine.WeightCheckHook`, for which weights are gathered.
    * Works on the CPU as well, for trying things out (tried with torch 2.13).

    Args:
        model_wrapper (dict, optional): arguments of mmengine's ``MMFullyShardedDataParallel``. Default: units that are
            gathered one by one are :func:`sharding_units`, and the rest of the model is one.
        **kwargs: as in mmengine's ``FSDPStrategy``, but for ``state_dict_cfg``.
    """

    def __init__(self, *, model_wrapper: dict | None = None, **kwargs):
        wrapper = dict(type="MMFullyShardedDataParallel", use_orig_params=True) | (model_wrapper or {})
        on_cpu = get_device() == "cpu"
        if on_cpu:
            wrapper["device_id"] = "cpu"  # mmengine would say which GPU
        # On a CPU, what is "offloaded" is not copied, and its memory is given back before it is saved.
        whole = dict(rank0_only=True, offload_to_cpu=not on_cpu)
        state_dict_cfg = dict(
            state_dict_type="FULL_STATE_DICT",
            state_dict_config=dict(type="FullStateDictConfig", **whole),
            optim_state_dict_config=dict(type="FullOptimStateDictConfig", **whole),
        )
        super().__init__(model_wrapper=wrapper, state_dict_cfg=state_dict_cfg, **kwargs)

    def build_model(self, model: nn.Module | dict) -> nn.Module:
        """See mmengine."""
        model = super().build_model(model)
        policy = partial(lambda_auto_wrap_policy, lambda_fn=set(sharding_units(model)).__contains__)
        self.model_wrapper.setdefault("auto_wrap_policy", policy)
        return model

    def build_optim_wrapper(self, optim_wrapper, model: nn.Module | None = None) -> BaseOptimWrapper:
        """See mmengine; clips by the whole gradient.

        Raises:
            ConfigError: gradients are clipped tensor by tensor, of which a process has a share only.
        """
        wrapper = super().build_optim_wrapper(optim_wrapper, model)
        if isinstance(wrapper, TensorClipOptimWrapper):
            raise ConfigError(
                "TensorClipOptimWrapper does not work where a process has a part of a tensor only: train without "
                "_base_/strategies/fsdp.py."
            )
        replace_clipping(wrapper, model.clip_grad_norm_)
        return wrapper

    def optim_state_dict(self) -> dict:
        """See mmengine; with what its wrapper adds to the optimizer's state. Empty but in the first process."""
        state = FullyShardedDataParallel.optim_state_dict(self.model, self.optim_wrapper.optimizer)
        if not is_main_process():
            return {}
        return {name: value for name, value in self.optim_wrapper.state_dict().items() if name not in state} | state

    def load_optim_state_dict(self, state_dict: dict) -> None:
        """See mmengine, whose call torch has outgrown; states of a training without sharding do as well."""
        optimizer = self.optim_wrapper.optimizer
        added = {name: value for name, value in state_dict.items() if name not in ("state", "param_groups")}
        state = {name: state_dict[name] for name in ("state", "param_groups")}
        named = FullyShardedDataParallel.rekey_optim_state_dict(
            state, OptimStateKeyType.PARAM_NAME, self.model, optim=optimizer
        )
        own = FullyShardedDataParallel.optim_state_dict_to_load(
            model=self.model, optim=optimizer, optim_state_dict=named
        )
        self.optim_wrapper.load_state_dict(own | added)

    def load_checkpoint(self, filename: str, *, callback: Callable | None = None, **kwargs) -> dict:
        """See mmengine; ``callback``, that is the hooks, finds whole weights in the model."""

        def with_whole_weights(checkpoint: dict) -> None:
            everywhere = FullyShardedDataParallel.state_dict_type(
                self.model, StateDictType.FULL_STATE_DICT, FullStateDictConfig(rank0_only=False)
            )
            with FullyShardedDataParallel.summon_full_params(self.model), everywhere:
                callback(checkpoint)

        return super().load_checkpoint(filename, callback=callback and with_whole_weights, **kwargs)

    def save_checkpoint(self, filename: str, **kwargs) -> None:
        """See mmengine; written beside its place first."""
        super().save_checkpoint(filename + INCOMPLETE, **kwargs)
        if is_main_process():
            move_into_place(filename + INCOMPLETE, filename)
