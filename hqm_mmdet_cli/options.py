"""Options that several commands have."""

import math
from collections.abc import Callable, Sequence

import click

from .checks import require_writable

LAUNCHERS = ("none", "pytorch", "slurm", "mpi")  # a test compares with hqm_mmdet.utils.distributed


class SeveralOption(click.Option):
    """An option that takes one or more values, ``--option a b``, as OpenMMLab's tools do; may be repeated too."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, multiple=True, **kwargs)


class FiniteRange(click.FloatRange):
    """A number in a range; NaN, which no comparison keeps out, is none."""

    def convert(self, value, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is no number.", param, ctx)
        return number


def repeat_options(args: list[str], several: set[str]) -> list[str]:
    """``[--x, a, b, --y]`` -> ``[--x, a, --x, b, --y]`` for options ``--x`` that take several values."""
    repeated, option = [], None
    for arg in args:
        if arg.startswith("--"):
            option = arg if arg in several else None
        elif option is not None and repeated[-1] != option:
            repeated.append(option)
        repeated.append(arg)
    return repeated


def settings(ctx: click.Context, param: click.Parameter, words: tuple[str, ...]) -> tuple[str, ...]:
    """Callback: the words are ``KEY=VALUE``; what the values mean, mmengine decides.

    Raises:
        BadParameter: a word is not.
    """
    for word in words:
        if not word.partition("=")[0] or "=" not in word:
            raise click.BadParameter(f"expected KEY=VALUE, got {word!r}")
    return words


def writable_file(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Callback of options that name a file to write: refused before the work, not after it.

    Raises:
        BadParameter: it can't be written.
    """
    try:
        if value is not None:
            require_writable(value)
    except (OSError, ValueError) as error:  # the latter: no name of a file, such as one with a zero byte
        raise click.BadParameter(str(error)) from error
    return value


def with_options(function: Callable, options: Sequence[Callable]) -> Callable:
    """A command with more options, in this order."""
    for option in reversed(options):
        function = option(function)
    return function


cfg_options = click.option(
    "--cfg-options",
    cls=SeveralOption,
    callback=settings,
    metavar="KEY=VALUE ...",
    help="Settings that replace the config's, e.g. train_dataloader.batch_size=4 model.num_queries=50.",
)
config_argument = click.argument("config", metavar="CONFIG")
quiet = click.option("--quiet", is_flag=True, help="No progress bar.")
device = click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:1, ...")
best_device = click.option("--device", help="cpu, cuda, cuda:1, ... Default: a GPU if there is one.")


def runner_options(function: Callable) -> Callable:
    """Options of both training and testing."""
    return with_options(
        function,
        (
            click.option("--work-dir", help="Where logs and checkpoints go. Default: work_dirs/<config name>."),
            cfg_options,
            click.option("--launcher", type=click.Choice(LAUNCHERS), default="none", hidden=True),
            click.option("--local_rank", "--local-rank", type=int, expose_value=False, hidden=True),  # old launchers
        ),
    )


def model_options(function: Callable) -> Callable:
    """A checkpoint, and a config if it holds none."""
    return with_options(
        function,
        (
            click.option("--checkpoint", required=True, metavar="FILE", help="Weights (.pth or .safetensors)."),
            click.option("--config", metavar="FILE", help="Default: the one that the checkpoint holds."),
            cfg_options,
        ),
    )
