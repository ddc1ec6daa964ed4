"""``hqm-mmdet check-data``, ``tools/check_dataset.py``."""

import json
from collections import Counter
from collections.abc import Sequence

import click

from hqm_mmdet.datasets.checking import ERROR, SUSPICIOUS, WARNING, SplitReport, check_dataset
from hqm_mmdet.utils import write_atomically

from .data import load_datasets

NAMES = {ERROR: "errors", WARNING: "warnings", SUSPICIOUS: "suspicious"}


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
    click.echo(summary(reports, max_shown, out))
    levels = (ERROR, WARNING) if strict else (ERROR,)
    return int(any(report.count(level) for report in reports for level in levels))


def summary(reports: Sequence[SplitReport], max_shown: int, out: str | None) -> str:
    """What was found in all splits, and where the rest of it is shown."""
    found = {level: sum(report.count(level) for report in reports) for level in NAMES}
    counts = ", ".join(f"{found[level]:,} {NAMES[level]}" for level in NAMES if found[level] or level != SUSPICIOUS)
    text = f"In all {sum(report.statistics.images for report in reports):,} images: {counts}."
    kinds = Counter((report.name, problem.kind) for report in reports for problem in report.problems)
    if max(kinds.values(), default=0) <= max_shown:
        return text
    return f"{text} Shown are {max_shown} of a kind (--max-shown); {out or '--json FILE'} has all."
