"""``hqm-mmdet train``, ``tools/train.py``."""

from collections.abc import Callable

import click

from .checks import require_checkpoint, require_config, require_writable_folder
from .command import ToolCommand, work
from .errors import UsageError
from .options import SeveralOption, config_argument, runner_options, with_options

# What `hqm_mmdet.cli.training` does to a config, the same for every one.
WISHES = (
    click.option("--epochs", type=click.IntRange(1), help="Length of the training; schedules are stretched with it."),
    click.option(
        "--batch-size", type=click.IntRange(1), help="Images per process and iteration. See also --auto-scale-lr."
    ),
    click.option(
        "--lr", type=click.FloatRange(0), help="Learning rate; parts of the model keep their multiples of it."
    ),
    click.option(
        "--data-root",
        metavar="FOLDER",
        help="Where the data set lies; with several data sets, the folder that holds theirs.",
    ),
    click.option("--workers", type=click.IntRange(0), help="Processes that load data; 0: none of their own."),
    click.option("--val-interval", type=click.IntRange(1), metavar="EPOCHS", help="Validate every so many epochs."),
    click.option(
        "--fresh",
        cls=SeveralOption,
        metavar="PREFIX ...",
        help="Parameters that start afresh where the file of load_from has others of another size, e.g. "
        "bbox_head.verb_cls.",
    ),
)


def wishes(function: Callable) -> Callable:
    """Give a command the options of ``WISHES``."""
    return with_options(function, WISHES)


@click.command(cls=ToolCommand)
@config_argument
@click.option(
    "--resume",
    is_flag=False,
    flag_value="auto",
    metavar="[CHECKPOINT]",
    help="Go on from this checkpoint; without one, from the newest complete checkpoint in the work folder.",
)
@click.option("--load-from", metavar="CHECKPOINT", help="Weights to start from. Default: the config's load_from.")
@click.option("--from-scratch", is_flag=True, help="Start a model from random weights that is meant to have a start.")
@click.option("--amp", is_flag=True, help="Mixed precision: bfloat16 where the device has it.")
@click.option("--auto-scale-lr", is_flag=True, help="Scale the learning rate with the batch size.")
@click.option("--seed", type=int, help="Replaces the config's randomness.seed.")
@click.option("--verbose", is_flag=True, help="The console shows all that the log file holds.")
@wishes
@runner_options
def train(**options) -> int:
    """Train as CONFIG says; relative paths are also looked up in the project.

    Several processes: tools/dist_train.sh, tools/slurm_train.sh.
    """
    if options["load_from"] and options["from_scratch"]:
        raise UsageError("--load-from and --from-scratch exclude each other.")
    require_config(options["config"])
    require_writable_folder(options["work_dir"] or "work_dirs")
    require_checkpoint(options["load_from"])
    require_checkpoint(None if options["resume"] == "auto" else options["resume"])
    return work("train.train")(**options)
