"""``hqm-mmdet browse``."""

import click

from hqm_mmdet.datasets.checking import LEVELS, check_dataset
from hqm_mmdet.pages.browser import BrowsedDataset, render_browser
from hqm_mmdet.pages.render import write_page

from .data import load_datasets

NAMES = dict(HICODetDataset="HICO-DET", VCOCODataset="V-COCO", HOIADataset="HOI-A", HOIDataset="Own data")


def browse(
    out: str,
    title: str | None,
    per_triplet: int,
    per_flag: int,
    max_images: int | None,
    no_images: bool,
    workers: int,
    quiet: bool,
    **source,
) -> None:
    """Check, choose images, write the page."""
    datasets = load_datasets(**source)
    kind = type(next(iter(datasets.values()))).__name__
    name = title or NAMES.get(kind, kind.removesuffix("Dataset"))
    reports = check_dataset(datasets, not no_images, workers, not quiet, suspicious=True)
    limit = max_images or (None if no_images else 1000)
    browsed = BrowsedDataset.of(name, reports, per_triplet, per_flag, limit)
    path = write_page(out, render_browser(browsed, not no_images, not quiet))
    for report in reports:
        counts = ", ".join(f"{report.count(level)} {level}" for level in LEVELS)
        click.echo(f"{report.name}: {report.statistics.images} images; findings: {counts}")
    kept, wanted = len(browsed.examples), browsed.num_wanted
    if kept < wanted:
        click.echo(f"{kept} of {wanted} chosen images are in the page; --max-images {wanted} shows them all.")
    click.echo(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")
