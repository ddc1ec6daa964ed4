"""Losses in the log are those of the global batch."""

from mmengine.dist import all_reduce_dict, get_world_size
from mmengine.hooks import Hook
from torch import Tensor

from hqm_mmdet.registry import HOOKS


@HOOKS.register_module()
class MeanLossHook(Hook):
    """Replaces each process's loss terms by their mean over all processes, before anyone reads them.

    mmengine logs the terms of the first process only. With this hook the log of N processes equals that of one process
    with the same global batch (unless the model computes batch statistics), and a loss that is not finite somewhere is
    so everywhere, so that all processes stop together. Costs one small all-reduce. All processes must have the same
    terms, which models owe anyway.
    """

    priority = "HIGHEST"  # before RuntimeInfoHook, which takes the terms into the log

    def after_train_iter(
        self, runner, batch_idx: int, data_batch=None, outputs: dict[str, Tensor] | None = None
    ) -> None:
        """Reduce ``outputs`` in place."""
        if get_world_size() > 1 and outputs:
            means = {name: value.detach().clone() for name, value in outputs.items()}
            all_reduce_dict(means, "mean")
            outputs.update(means)
