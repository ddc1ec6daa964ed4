"""A command of ``hqm-mmdet``: options are checked here, and only a right call imports what does the work."""

import importlib
import io
import os
import sys
from collections.abc import Callable
from functools import partial

import click

from .errors import UserError, is_user_error, tell
from .installation import command as call_of
from .options import SeveralOption, repeat_options


class BrokenInstallationError(UserError, ImportError):
    """The package, or what it needs, can't be imported."""


class TellingMain:
    """``main`` of a command: a programming error prints its traceback and gives status 2, as nothing was done."""

    def main(self, *args, standalone_mode: bool = True, **extra):
        """See :meth:`click.Command.main`."""
        try:
            return super().main(*args, standalone_mode=standalone_mode, **extra)
        except Exception as error:
            if not standalone_mode:
                raise
            sys.exit(tell(error))


class ToolCommand(TellingMain, click.Command):
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
        try:
            status = super().invoke(ctx)
        except KeyboardInterrupt as error:  # click would give 1, which means that something was found
            status = tell(error)
        except BrokenPipeError:  # `| head` has read enough
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115  Python flushes it when it ends
            status = 0
        except Exception as error:
            if not is_user_error(error):
                raise
            status = tell(error, debug)
        ctx.exit(status or 0)


def work(place: str) -> Callable[..., int]:
    """What does the work of a command: ``train.train`` is the function ``train`` of ``hqm_mmdet.cli.train``.

    Raises:
        BrokenInstallationError: it can't be imported; the message says why.
    """
    module, _, name = place.partition(".")
    try:
        function = getattr(importlib.import_module(f"hqm_mmdet.cli.{module}"), name)
        return partial(importlib.import_module("hqm_mmdet.utils.launch").run_locally, function)
    except ImportError as error:
        raise BrokenInstallationError(f"{error}\n`{call_of('doctor')}` says what is missing.") from error


def never_fail_to_print() -> None:
    """Characters that a terminal can't show (lone surrogates of file names, say) are written as their code.

    Else the report of an hour's work would be lost to one name in it.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
