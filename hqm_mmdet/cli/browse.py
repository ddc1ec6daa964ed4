"""``hqm-mmdet browse``."""

import click

from hqm_mmdet.datasets.checking import LEVELS, check_dataset
from hqm_mmdet.pages.browser import BrowsedDataset, render_browser
from hqm_mmdet.pages.render import write_page

from .base import ToolCommand
from .data_options import data_options, load_datasets

NAMES = dict(HICODetDataset="HICO-DET", VCOCODataset="V-COCO", HOIADataset="HOI-A", HOIDataset="Own data")


@click.command("browse", cls=ToolCommand)
@data_options
@click.option("--out", metavar="FOLDER", required=True, help="Where the page goes: FOLDER/index.html.")
@click.option("--title", metavar="NAME", help="What the page calls the data set. Default: its own name.")
@click.option("--per-triplet", type=click.IntRange(1), default=3, show_default=True, help="Images of each triplet.")
@click.option("--per-flag", type=click.IntRange(0), default=12, show_default=True, help="Images of each finding.")
@click.option(
    "--max-images", type=click.IntRange(1), metavar="N", help="At most N images in the page. Default: 1000 with images."
)
@click.option("--no-images", is_flag=True, help="Read annotations only; boxes stand on grey.")
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
    """Write a page that shows a data set: numbers, verb-object matrix, images by triplet, what checks found.

    The page is one file and needs no network.

    \b
    browse configs/qpic_toy.py --out browse
    browse configs/qpic_hico.py --no-images --out browse
    browse --dataset HOIDataset --names data/own/names.json
           --ann-file data/own/train.json data/own/test.json --images data/own/images --out browse
    """
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
