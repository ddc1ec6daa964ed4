"""``hqm-mmdet check-data``, ``tools/check_dataset.py``."""

import json

import click

from hqm_mmdet.datasets.checking import ERROR, WARNING, check_dataset
from hqm_mmdet.utils import write_atomically

from .base import ToolCommand, writable_file
from .data_options import data_options, load_datasets


@click.command("check-data", cls=ToolCommand)
@data_options
@click.option("--no-images", is_flag=True, help="Check annotations only.")
@click.option("--suspicious", is_flag=True, help="Also list what is allowed but worth a look, e.g. tiny boxes.")
@click.option("--max-shown", type=int, metavar="N", help="Print at most N problems of a kind.")
@click.option("--json", "out", callback=writable_file, metavar="FILE", help="Write all problems and numbers there.")
@click.option("--strict", is_flag=True, help="Exit status 1 for warnings too.")
def check_data(
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
    reports = check_dataset(load_datasets(**source), not no_images, workers, not quiet, suspicious)
    if out:  # before anything is printed: a closed pipe (`| head`) must not cost the file
        content = {report.name: report.as_dict() for report in reports}
        write_atomically(out, json.dumps(content, indent=1).encode())
    for report in reports:
        click.echo(report.render(max_shown))
    levels = (ERROR, WARNING) if strict else (ERROR,)
    return int(any(report.count(level) for report in reports for level in levels))
