"""The command ``hqm-mmdet``: options, help and what can be checked of files, without importing the package.

So ``--help`` and mistakes are answered at once, and ``doctor`` works where ``import hqm_mmdet`` does not. Each command
is a module here; what it does is the module of the same name in ``hqm_mmdet.cli``. This floor lies below the package,
which takes from it what both need: errors for users, configs by name, how commands are called.
"""

import importlib
import importlib.metadata

import click

from .command import TellingMain
from .nearest import nearest

# name: (module and its command, one line of help). The help stands here too, because a list of commands imports none.
COMMANDS = {
    "quickstart": ("quickstart.quickstart", "Train on the toy set, draw pictures, write pages."),
    "predict": ("predict.predict", "Predict one's own images or a video."),
    "demo": ("demo.demo", "Open a page that predicts the images dropped into it."),
    "train": ("train.train", "Train a model."),
    "configs": ("configs.configs", "List the project's configs, or copy one."),
    "test": ("test.test", "Evaluate a checkpoint."),
    "eval": ("eval.evaluate", "Evaluate predictions of this or another code base."),
    "convert-predictions": ("convert_predictions.convert_predictions", "Write predictions as other code does."),
    "report": ("report.report", "Write a page about a prediction file, or about two."),
    "detect": ("detect.detect", "Find boxes for two-stage models by an mmdet detector."),
    "suppress": ("suppress.suppress", "Lower the scores of pairs that do not interact."),
    "search-thresholds": (
        "search_thresholds.search_thresholds",
        "Choose thresholds of that suppression per object class.",
    ),
    "convert": ("convert.convert", "Convert a checkpoint of another code base."),
    "publish": ("publish.publish", "Make a checkpoint that holds all that predicting needs."),
    "export": ("export.export", "Write a detector as an ONNX file."),
    "make-toy": ("make_toy.make_toy", "Make the toy data set."),
    "to-hoia": ("to_hoia.to_hoia", "Convert published annotations."),
    "check-data": ("check_data.check_data", "List problems of a data set."),
    "browse": ("browse.browse", "Write a page that shows a data set."),
    "mmdet": ("mmdet_tools.mmdet", "Run one of mmdet's own tools."),
    "doctor": ("doctor.doctor", "Say what is installed, what is missing, and the cure."),
}


class LazyGroup(TellingMain, click.Group):
    """Commands that are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, in the order of ``COMMANDS``."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import a command."""
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name][0].partition(".")
        return getattr(importlib.import_module(f"{__name__}.{module}"), attribute)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple:
        """See :meth:`click.Group.resolve_command`; the message for an unknown command names the nearest one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"No such command {args[0]!r}.{nearest(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, none of them imported."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings=dict(help_option_names=["-h", "--help"]))
@click.version_option(package_name="hqm_mmdet", prog_name="hqm-mmdet")
def main() -> None:
    """Human-object interaction detection. Each command has its own --help."""
