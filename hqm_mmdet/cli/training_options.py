"""The common wishes about a training as options, the same for every config."""

from collections.abc import Callable

import click
from mmengine.config import Config

from hqm_mmdet.configuring import common_settings

from .base import SeveralOption

# option -> what it does to a config, click's settings
WISHES = {
    "--epochs": (
        common_settings.set_epochs,
        dict(type=click.IntRange(1), help="Length of the training; schedules are stretched with it."),
    ),
    "--batch-size": (
        common_settings.set_batch_size,
        dict(type=click.IntRange(1), help="Images per process and iteration. See also --auto-scale-lr."),
    ),
    "--lr": (
        common_settings.set_learning_rate,
        dict(type=click.FloatRange(0), help="Learning rate; parts of the model keep their multiples of it."),
    ),
    "--data-root": (
        common_settings.set_data_root,
        dict(metavar="FOLDER", help="Where the data set lies; with several data sets, the folder that holds theirs."),
    ),
    "--workers": (
        common_settings.set_workers,
        dict(type=click.IntRange(0), help="Processes that load data; 0: none of their own."),
    ),
    "--val-interval": (
        common_settings.set_val_interval,
        dict(type=click.IntRange(1), metavar="EPOCHS", help="Validate every so many epochs."),
    ),
    "--fresh": (
        common_settings.start_afresh,
        dict(
            cls=SeveralOption,
            metavar="PREFIX ...",
            help="Parameters that start afresh where the file of load_from has others of another size, e.g. "
            "bbox_head.verb_cls.",
        ),
    ),
}


def training_options(function: Callable) -> Callable:
    """Give a command these options; it passes them to :func:`follow`."""
    for name, (_, settings) in reversed(WISHES.items()):
        function = click.option(name, **settings)(function)
    return function


def follow(cfg: Config, **wishes) -> None:
    """Change a config as the given options say.

    Raises:
        ConfigError: the config has no such thing.
    """
    for name, (change, _) in WISHES.items():
        value = wishes[name.removeprefix("--").replace("-", "_")]
        if value is not None and value != ():
            change(cfg, value)
