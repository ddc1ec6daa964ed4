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

from hqm_mmdet.checkpoints.config_text import config_of_checkpoint
from hqm_mmdet.checkpoints.loading import TRAINING_ONLY, load_weights
from hqm_mmdet.compat import load_untrusted
from hqm_mmdet.registry import MODELS


def build_model(config: str | Path | Config, initialise: bool = True) -> nn.Module:
    """Model of a config, in training mode.

    Args:
        config (str | Path | Config): a config or its file.
        initialise (bool): draw initial weights, or read them where the config names files. False for who loads a whole
            checkpoint, and so needs none of these files. Default True.

    Raises:
        FileNotFoundError: no such config file.
    """
    if not isinstance(config, Config):
        config = config_of_file(config)
    init_default_scope(config.get("default_scope", "hqm_mmdet"))
    model = MODELS.build(config.model)
    if initialise:
        with _quiet():
            model.init_weights()
    model.cfg = config
    return model


def config_of_file(file: str | Path) -> Config:
    """The config in a file.

    Raises:
        FileNotFoundError: no such file.
    """
    if not Path(file).is_file():
        raise FileNotFoundError(f"Config {file} does not exist; the project's configs lie in configs/.")
    return Config.fromfile(file)


@contextmanager
def _quiet() -> Iterator[None]:
    """mmengine prints a line per parameter on initialisation when no runner's log file takes it."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.WARNING)
    yield
    logger.setLevel(level)


def init_model(
    config: str | Path | Config | None = None, checkpoint: str | Path | None = None, device: str = "cpu"
) -> nn.Module:
    """Model ready for inference.

    Args:
        config (str | Path | Config, optional): a config or its file. Default: what the checkpoint holds.
        checkpoint (str | Path, optional): weights made by this project or its converters. Without one the weights are
            random.
        device (str): where the model goes.

    Returns:
        nn.Module: in evaluation mode, with ``cfg`` and ``dataset_meta`` (class and verb names as far as the checkpoint
        holds them).

    Raises:
        FileNotFoundError: no such config or checkpoint.
        CheckpointError: the checkpoint is damaged, wants to run code, holds no config where none is given, or does not
            fit it.
        ValueError: neither a config nor a checkpoint.
    """
    if config is None and checkpoint is None:
        raise ValueError("Give a config, or a checkpoint that holds one.")
    content = {} if checkpoint is None else load_untrusted(checkpoint, "cpu")
    if config is None:
        config = config_of_checkpoint(content, str(checkpoint))
    model = revert_sync_batchnorm(build_model(config, initialise=checkpoint is None))
    model.dataset_meta = {}
    if checkpoint is not None:
        load_weights(model, content.get("state_dict", content), str(checkpoint), optional=TRAINING_ONLY)
        model.dataset_meta = content.get("meta", {}).get("dataset_meta", {})
    return model.to(device).eval()
