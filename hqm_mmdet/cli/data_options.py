"""Options of commands that look at data sets: a config, or files."""

import click

from hqm_mmdet.datasets.checking.sources import datasets_of_config, datasets_of_files

from .base import SeveralOption, cfg_options, read_config

SPLITS = ("train", "val", "test")


def data_options(function):
    """CONFIG and the options that name data sets; :func:`load_datasets` takes them."""
    for option in reversed(
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
                "--images",
                cls=SeveralOption,
                metavar="FOLDER ...",
                help="One image folder, or one per file.",
            ),
            click.option("--names", metavar="FILE", help="JSON with classes and verbs, for --dataset HOIDataset."),
            click.option("--coco-file", metavar="FILE", help="COCO instances, for official V-COCO labels."),
            click.option("--workers", type=int, default=4, show_default=True, help="Threads that read images."),
            click.option("--quiet", is_flag=True, help="No progress bars."),
        )
    ):
        function = option(function)
    return function


def load_datasets(
    config: str | None,
    dataset: str | None,
    ann_file: tuple[str, ...],
    images: tuple[str, ...],
    names: str | None,
    coco_file: str | None,
    splits: tuple[str, ...],
    cfg_options: dict,
) -> dict:
    """Data sets by name, annotations not yet read.

    Raises:
        click.UsageError: neither a config nor files, or both.
    """
    if bool(config) == bool(dataset):
        raise click.UsageError("Give either a config or --dataset with --ann-file.")
    if dataset and not ann_file:
        raise click.UsageError("--dataset needs --ann-file.")
    if dataset:
        return datasets_of_files(dataset, list(ann_file), list(images) or None, names, coco_file)
    return datasets_of_config(read_config(config, cfg_options), splits)
