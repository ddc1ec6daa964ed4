"""What the commands have in common."""

import io
import math
import sys
from argparse import Namespace

import click
import torch
from mmengine.config import Config, DictAction

from hqm_mmdet.configuring import merge_options
from hqm_mmdet.utils.atomic_io import require_writable
from hqm_mmdet.utils.distributed import LAUNCHERS
from hqm_mmdet.utils.launch import UsageError, read_config_file, run_tool


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


class ToolCommand(click.Command):
    """A command whose errors that the user can mend are told in one message, exit status 2 (``--debug``: traceback)."""

    def __init__(self, *args, **kwargs):
        kwargs["context_settings"] = dict(help_option_names=["-h", "--help"], max_content_width=120)
        super().__init__(*args, **kwargs)
        self.params.append(click.Option(["--debug"], is_flag=True, help="Show the traceback of every error."))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Write ``--option a b`` as click wants it, ``--option a --option b``."""
        several = {name for param in self.params if isinstance(param, SeveralOption) for name in param.opts}
        return super().parse_args(ctx, repeat_options(args, several))

    def invoke(self, ctx: click.Context) -> None:
        """Run; the callback may return an exit status of its own."""
        never_fail_to_print()
        debug = ctx.params.pop("debug")
        ctx.exit(run_tool(lambda _: super(ToolCommand, self).invoke(ctx), Namespace(debug=debug)))


def never_fail_to_print() -> None:
    """Characters that a terminal can't show (lone surrogates of file names, say) are written as their code.

    Else the report of an hour's work would be lost to one name in it.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


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


def parse_settings(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict:
    """``key=value`` words to a dict, by mmengine's rules (numbers, lists, tuples).

    Raises:
        BadParameter: a word without ``=``.
    """
    # mmengine's own parser, so that --cfg-options mean here what they mean in OpenMMLab's tools.
    words = Namespace()
    try:
        DictAction(list(param.opts), param.name)(None, words, list(values))
    except (ValueError, AssertionError) as error:
        raise click.BadParameter(f"expected KEY=VALUE, got {' '.join(values)!r} ({error})") from error
    return getattr(words, param.name)


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


cfg_options = click.option(
    "--cfg-options",
    cls=SeveralOption,
    callback=parse_settings,
    metavar="KEY=VALUE ...",
    help="Settings that replace the config's, e.g. train_dataloader.batch_size=4 model.num_queries=50.",
)
config_argument = click.argument("config", metavar="CONFIG")


def runner_options(function):
    """Options of both training and testing."""
    # click shows the option first that is applied last.
    for option in (
        click.option("--local_rank", "--local-rank", type=int, expose_value=False, hidden=True),  # old launchers
        click.option(
            "--launcher", type=click.Choice(LAUNCHERS), default="none", help="What started this process.", hidden=True
        ),
        cfg_options,
        click.option("--work-dir", help="Where logs and checkpoints go. Default: work_dirs/<config name>."),
    ):
        function = option(function)
    return function


def require_device(device: str | None) -> None:
    """Raise a UsageError if torch can't compute there."""
    try:
        torch.empty(1, device=device)
    except Exception as error:  # each backend has its own way to say that it is not there
        raise UsageError(f"--device {device} can't be used: {error}") from error


def read_config(config: str | None, cfg_options: dict) -> Config | None:
    """The config file with the command line's changes; None for that of the checkpoint.

    Raises:
        UsageError: changes without a file.
    """
    if config is None:
        if cfg_options:
            raise UsageError("--cfg-options changes the file that --config names, and none is given.")
        return None
    cfg = read_config_file(config)
    merge_options(cfg, cfg_options)
    return cfg
