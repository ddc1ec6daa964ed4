"""The command ``hqm-mmdet``: a door that imports nothing of the package until a command is chosen.

So ``--help`` is quick, and ``doctor`` works where ``import hqm_mmdet`` does not. The commands lie in ``hqm_mmdet.cli``.
"""

import importlib
import importlib.metadata

import click

# name: (module, its command, one line of help). The help stands here too, because a list of commands imports none.
COMMANDS = {
    "predict": ("hqm_mmdet.cli.predict", "predict", "Predict one's own images or a video."),
    "demo": ("hqm_mmdet.cli.demo", "demo", "Open a page that predicts the images dropped into it."),
    "train": ("hqm_mmdet.cli.train", "train", "Train a model."),
    "configs": ("hqm_mmdet.cli.configs", "configs", "List the project's configs, or copy one."),
    "test": ("hqm_mmdet.cli.test", "test", "Evaluate a checkpoint."),
    "eval": ("hqm_mmdet.cli.eval", "evaluate", "Evaluate predictions of this or another code base."),
    "convert-predictions": (
        "hqm_mmdet.cli.convert_predictions",
        "convert_predictions",
        "Write predictions as other code does.",
    ),
    "report": ("hqm_mmdet.cli.report", "report", "Write a page about a prediction file, or about two."),
    "detect": ("hqm_mmdet.cli.detect", "detect", "Find boxes for two-stage models by an mmdet detector."),
    "suppress": ("hqm_mmdet.cli.suppress", "suppress", "Lower the scores of pairs that do not interact."),
    "search-thresholds": (
        "hqm_mmdet.cli.search_thresholds",
        "search_thresholds",
        "Choose thresholds of that suppression per object class.",
    ),
    "convert": ("hqm_mmdet.cli.convert", "convert", "Convert a checkpoint of another code base."),
    "publish": ("hqm_mmdet.cli.publish", "publish", "Make a checkpoint that holds all that predicting needs."),
    "export": ("hqm_mmdet.cli.export", "export", "Write a detector as an ONNX file."),
    "check-data": ("hqm_mmdet.cli.check_data", "check_data", "List every problem of a data set."),
    "browse": ("hqm_mmdet.cli.browse", "browse", "Write a page that shows a data set."),
    "mmdet": ("hqm_mmdet_cli.mmdet_tools", "mmdet", "Run one of mmdet's own tools."),
    "doctor": ("hqm_mmdet_cli.doctor", "doctor", "Say what is installed, what is missing, and the cure."),
}


class LazyGroup(click.Group):
    """Commands that are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, in the order of ``COMMANDS``."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import a command.

        Raises:
            ClickException: the package can't be imported; the message says why.
        """
        if name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[name]
        try:
            return getattr(importlib.import_module(module), attribute)
        # No traceback: who types a command with half an installation needs the cure.
        except ImportError as error:
            raise click.ClickException(f"{error}\n`hqm-mmdet doctor` says what is missing.") from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, none of them imported."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings=dict(help_option_names=["-h", "--help"]))
@click.version_option(package_name="hqm_mmdet", prog_name="hqm-mmdet")
def main() -> None:
    """Human-object interaction detection. Each command has its own --help."""
