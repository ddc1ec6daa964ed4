"""``hqm-mmdet check-data``, ``tools/check_dataset.py``."""

import json

import click

from hqm_mmdet.datasets.checking import ERROR, WARNING, check_dataset
from hqm_mmdet.datasets.checking.sources import datasets_of_config, datasets_of_files
from hqm_mmdet.utils import write_atomically
from hqm_mmdet.utils.launch import read_config_file

from .base import SeveralOption, ToolCommand, cfg_options

SPLITS = ("train", "val", "test")


@click.command("check-data", cls=ToolCommand)
@click.argument("config", required=False)
@click.option(
    "--splits", cls=SeveralOption, type=click.Choice(SPLITS), default=SPLITS, help="Which of the config's data sets."
)
@cfg_options
@click.option("--dataset", metavar="TYPE", help="Without config: HICODetDataset, VCOCODataset, HOIADataset, ...")
@click.option("--ann-file", cls=SeveralOption, metavar="FILE ...", help="Annotation files; training first.")
@click.option("--images", cls=SeveralOption, metavar="FOLDER ...", help="One image folder, or one per annotation file.")
@click.option("--names", metavar="FILE", help="JSON with classes and verbs, for --dataset HOIDataset.")
@click.option("--coco-file", metavar="FILE", help="COCO instances, for official V-COCO labels.")
@click.option("--no-images", is_flag=True, help="Check annotations only.")
@click.option("--workers", type=int, default=4, show_default=True, help="Threads that read images.")
@click.option("--suspicious", is_flag=True, help="Also list what is allowed but worth a look, e.g. tiny boxes.")
@click.option("--max-shown", type=int, metavar="N", help="Print at most N problems of a kind.")
@click.option("--json", "out", metavar="FILE", help="Write all problems and numbers there.")
@click.option("--strict", is_flag=True, help="Exit status 1 for warnings too.")
@click.option("--quiet", is_flag=True, help="No progress bars.")
def check_data(
    config: str | None,
    no_images: bool,
    workers: int,
    suspicious: bool,
    max_shown: int | None,
    out: str | None,
    strict: bool,
    quiet: bool,
    **source,
) -> int:
    """List every problem of a data set, print numbers.

    Exit status 0: sound; 1: problems; 2: it can't be checked.

    \b
    check-data configs/qpic_hico.py
    check-data configs/qpic_vcoco.py --splits test --no-images
    check-data --dataset HOIDataset --names data/own/names.json
               --ann-file data/own/train.json data/own/test.json --images data/own/images
    """
    reports = check_dataset(load_datasets(config, **source), not no_images, workers, not quiet, suspicious)
    for report in reports:
        click.echo(report.render(max_shown))
    if out:
        content = {report.name: report.as_dict() for report in reports}
        write_atomically(out, json.dumps(content, indent=1).encode())
    levels = (ERROR, WARNING) if strict else (ERROR,)
    return int(any(report.count(level) for report in reports for level in levels))


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
    cfg = read_config_file(config)
    cfg.merge_from_dict(cfg_options)
    return datasets_of_config(cfg, splits)
