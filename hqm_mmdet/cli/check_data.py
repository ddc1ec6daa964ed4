"""``hqm-mmdet check-data``, ``tools/check_dataset.py``."""

import json

import click

from hqm_mmdet.datasets.checking import ERROR, WARNING, check_dataset
from hqm_mmdet.utils import write_atomically

from .data import load_datasets


def check_data(
    no_images: bool,
    workers: int,
    suspicious: bool,
    max_shown: int,
    out: str | None,
    strict: bool,
    quiet: bool,
    **source,
) -> int:
    """Check and print; 1 if there are problems."""
    reports = check_dataset(load_datasets(**source), not no_images, workers, not quiet, suspicious)
    if out:  # before anything is printed: a closed pipe (`| head`) must not cost the file
        content = {report.name: report.as_dict() for report in reports}
        write_atomically(out, json.dumps(content, indent=1).encode())
    for report in reports:
        click.echo(report.render(max_shown))
    levels = (ERROR, WARNING) if strict else (ERROR,)
    return int(any(report.count(level) for report in reports for level in levels))
