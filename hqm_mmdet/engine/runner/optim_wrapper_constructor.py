"""mmengine's constructor of optimizers with one line about frozen parameters."""

import logging

import torch
from mmengine.logging import MMLogger, print_log
from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper
from torch import nn

from hqm_mmdet.registry import OPTIM_WRAPPER_CONSTRUCTORS

SKIPPED = "is skipped since its requires_grad=False"


class _Counted(logging.Filter):
    """Keeps the lines back, and counts them."""

    def __init__(self):
        super().__init__()
        self.first, self.count = "", 0

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if not message.endswith(SKIPPED):
            return True
        self.first = self.first or message.removesuffix(SKIPPED).strip()
        self.count += 1
        return False


@OPTIM_WRAPPER_CONSTRUCTORS.register_module("DefaultOptimWrapperConstructor")
class SummaryOptimWrapperConstructor(DefaultOptimWrapperConstructor):
    """Parameters that do not learn are counted in one line, and those with equal settings share a group.

    mmengine warns of each of them, a line per tensor of frozen layers, and other warnings drown. With
    ``paramwise_cfg`` it also makes a group of every parameter; an optimizer works group by group, so its step then
    takes as many times the operations. In configs this class stands under mmengine's name, which is the default.
    """

    def __call__(self, model: nn.Module) -> OptimWrapper:
        """The optimizer's wrapper for a model."""
        counted, logger = _Counted(), MMLogger.get_current_instance()
        logger.addFilter(counted)
        try:
            wrapper = super().__call__(model)
        finally:
            logger.removeFilter(counted)
        merge_groups(wrapper.optimizer)
        if counted.count:
            print_log(f"{counted.count} parameters do not learn, first {counted.first}.", logger="current")
        return wrapper


def merge_groups(optimizer: torch.optim.Optimizer) -> None:
    """Join the groups of a new optimizer whose settings are equal, in their order."""
    merged = {}
    for group in optimizer.param_groups:
        settings = {name: value for name, value in group.items() if name != "params"}
        merged.setdefault(repr(settings), {**settings, "params": []})["params"].extend(group["params"])
    optimizer.param_groups[:] = merged.values()
