"""Options of commands that look at data sets: a config, or files."""

from collections.abc import Callable, Sequence

import click

from .checks import require_config, require_files, require_folders
from .errors import UsageError
from .options import SeveralOption, cfg_options, with_options

SPLITS = ("train", "val", "test")


def data_options(function: Callable) -> Callable:
    """CONFIG and the options that name data sets; :func:`require_data` takes them."""
    return with_options(
        function,
        (
            click.argument("config", required=False),
            click.option(
                "--splits",
                cls=SeveralOption,
                type=click.Choice(SPLITS),
                default=SPLITS,
                help="Which of the config's data sets.",
            ),
            cfg_options,
            click.option("--dataset", metavar="TYPE", help="Without config: HICODetDataset, VCOCODataset, ..."),
            click.option("--ann-file", cls=SeveralOption, metavar="FILE ...", help="Annotation files; training first."),
            click.option(
                "--images", cls=SeveralOption, metavar="FOLDER ...", help="One image folder, or one per file."
            ),
            click.option("--names", metavar="FILE", help="JSON with classes and verbs, for --dataset HOIDataset."),
            click.option("--coco-file", metavar="FILE", help="COCO instances, for official V-COCO labels."),
            click.option(
                "--workers", type=click.IntRange(1), default=4, show_default=True, help="Threads that read images."
            ),
            click.option("--quiet", is_flag=True, help="No progress bars."),
        ),
    )


def require_data(
    config: str | None,
    dataset: str | None,
    ann_file: Sequence[str],
    images: Sequence[str],
    names: str | None,
    coco_file: str | None,
    **_,
) -> None:
    """Either a config or files that are there.

    Raises:
        UsageError: neither or both.
        FileNotFoundError: something is missing.
    """
    if bool(config) == bool(dataset):
        raise UsageError("Give either a config or --dataset with --ann-file.")
    if dataset and not ann_file:
        raise UsageError("--dataset needs --ann-file.")
    require_config(config)
    require_files(*ann_file, names, coco_file)
    require_folders(*images)
