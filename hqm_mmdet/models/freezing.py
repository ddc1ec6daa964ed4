"""Training a part of a model."""

import re
from abc import ABCMeta
from collections.abc import Sequence

from torch import nn

from hqm_mmdet.errors import ConfigError


def train_only(model: nn.Module, patterns: Sequence[str]) -> None:
    """Freeze every parameter whose name none of the patterns is found in.

    Gradients are off, so nothing is computed or stored for them, and optimizers leave them alone. To be called before
    DistributedDataParallel wraps the model, because that waits for the gradients that were on then. Modes do not
    change: dropout in frozen layers stays active in training, as in CDN's second stage, and batch norms learn
    statistics unless the backbone's ``norm_eval`` is set.

    Args:
        model (nn.Module): parameters that are frozen already stay so.
        patterns (Sequence[str]): regular expressions, searched for in parameter names.

    Raises:
        ConfigError: a pattern is found in no name.
    """
    names = [name for name, _ in model.named_parameters()]
    unused = [pattern for pattern in patterns if not any(re.search(pattern, name) for name in names)]
    if unused:
        raise ConfigError(
            f"trainable: {unused} is found in no parameter name. The model's parts are "
            f"{sorted({name.split('.')[0] for name in names})}."
        )
    for name, parameter in model.named_parameters():
        if not any(re.search(pattern, name) for pattern in patterns):
            parameter.requires_grad_(False)


class TrainableParts(ABCMeta):
    """Gives model classes the argument ``trainable``, the patterns of :func:`train_only`; default None, nothing frozen.

    A metaclass, because freezing must come after the constructors of all subclasses, which add parts, and before the
    runner wraps the model, which it does at once: no hook comes in between.
    """

    def __call__(cls, *args, trainable: Sequence[str] | None = None, **kwargs) -> nn.Module:
        """Build the model, then freeze and compile."""
        # constructors of subclasses have run here, so parts that they add are frozen and compiled too
        model = super().__call__(*args, **kwargs)
        if trainable is not None:
            train_only(model, trainable)
        if hasattr(model, "compile_parts"):
            model.compile_parts()
        return model
