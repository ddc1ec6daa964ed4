"""From a config to a model."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import init_default_scope
from torch import nn

from hqm_mmdet.checkpoints.files import Checkpoint
from hqm_mmdet.checkpoints.loading import TRAINING_ONLY, load_weights
from hqm_mmdet.configuring import config_errors, find_config, parse_config
from hqm_mmdet.errors import ConfigError
from hqm_mmdet.mmengine_doors import local_files_only
from hqm_mmdet.models.folding import fold_norms
from hqm_mmdet.registry import MODELS, SCOPE


def build_model(config: str | Path | Config, initialise: bool = True, source: str | None = None) -> nn.Module:
    """Model of a config, in training mode.

    Args:
        config (str | Path | Config): a config or its file.
        initialise (bool): draw initial weights, or read them where the config names files. False for who loads a whole
            checkpoint, and so needs none of these files. Default True.
        source (str, optional): what messages call the config. Default: its file.

    Raises:
        FileNotFoundError: no such config file.
        ConfigError: a setting can't be used; the message names its path.
    """
    if not isinstance(config, Config):
        config = config_of_file(config)
    init_default_scope(config.get("default_scope", SCOPE))
    with (
        local_files_only(),
        config_errors(config, source),
    ):  # the config may initialise from files, and need not have our scope
        model = MODELS.build(config.model)
        if initialise:
            with _quiet():
                model.init_weights()
    model.cfg = config
    return model


def config_of_file(file: str | Path) -> Config:
    """The config in a file, or of a name, see :func:`~hqm_mmdet.configuring.find_config`.

    Raises:
        FileNotFoundError: no such file.
        ConfigError: it can't be read.
    """
    return parse_config(find_config(str(file)))


@contextmanager
def _quiet() -> Iterator[None]:
    """mmengine prints a line per parameter on initialisation when no runner's log file takes it."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:  # a model that can't be built must not silence the rest of the process
        logger.setLevel(level)


def init_model(
    config: str | Path | Config | None = None,
    checkpoint: str | Path | Checkpoint | None = None,
    device: str = "cpu",
    folded: bool = True,
) -> nn.Module:
    """Model ready for inference.

    Args:
        config (str | Path | Config, optional): a config or its file. Default: what the checkpoint holds.
        checkpoint (str | Path | Checkpoint, optional): weights made by this project or its converters, as a file or
            already read. Without one the weights are random.
        device (str): where the model goes. Default: ``cpu``.
        folded (bool): make the backbone's batch norms part of its convolutions, see
            :func:`~hqm_mmdet.models.folding.fold_norms`; False for who wants the state or trains. Default True.

    Returns:
        nn.Module: in evaluation mode, with ``cfg`` and ``dataset_meta`` (class and verb names as far as the checkpoint
        holds them).

    Raises:
        FileNotFoundError: no such config or checkpoint.
        CheckpointError: the checkpoint is damaged, wants to run code, holds no config where none is given, or does not
            fit it.
        ConfigError: neither a config nor a checkpoint.
    """
    if config is None and checkpoint is None:
        raise ConfigError("Give a config, or a checkpoint that holds one.")
    if isinstance(checkpoint, str | Path):
        checkpoint = Checkpoint.read(checkpoint)
    # SyncBN needs a process group, which inference has not.
    named = isinstance(config, str | Path) or getattr(config, "filename", None)
    source = None if named or checkpoint is None else f"in {checkpoint.name}"
    model = revert_sync_batchnorm(
        build_model(checkpoint.config() if config is None else config, checkpoint is None, source)
    )
    model.dataset_meta = {}
    if checkpoint is not None:
        model.checkpoint = checkpoint.name
        load_weights(model, checkpoint.state, checkpoint.name, optional=TRAINING_ONLY)
        model.dataset_meta = checkpoint.meta.get("dataset_meta") or {}
    model = model.to(device).eval()
    return fold_norms(model) if folded else model
