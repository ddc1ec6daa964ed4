"""``hqm-mmdet report``."""

from dataclasses import replace
from pathlib import Path

import click

from hqm_mmdet.evaluation.analysis import RESAMPLES, Analysis, Comparison, analyse_file, compare_files
from hqm_mmdet.pages.formats import percent
from hqm_mmdet.pages.pictures import ImageFolder
from hqm_mmdet.pages.render import write_page
from hqm_mmdet.pages.report import build_report
from hqm_mmdet.pages.report.wording import metric_name
from hqm_mmdet.utils.launch import UsageError

from .base import ToolCommand
from .evaluation_options import evaluation_options, load_images, tell_unknown, warn_of_doubts, warn_of_missing


@click.command(cls=ToolCommand)
@click.argument("predictions")
@evaluation_options
@click.option("--out", default="report", show_default=True, metavar="FOLDER", help="Where index.html is written.")
@click.option("--images", "folder", metavar="FOLDER", help="Image files; without them boxes are drawn on grey.")
@click.option("--compare", metavar="FILE", help="Predictions of an earlier run, to compare with.")
@click.option("--name", help="What the run is called. Default: the file's name.")
@click.option("--compare-name", help="What the earlier run is called. Default: the file's name.")
@click.option(
    "--num-images", type=click.IntRange(0), default=12, show_default=True, help="Best and worst images, of each."
)
@click.option(
    "--resamples",
    type=click.IntRange(0),
    default=RESAMPLES,
    show_default=True,
    help="Resamples of the images for 95 % confidence intervals; 0: none.",
)
@click.option("--quiet", is_flag=True, help="No progress.")
def report(
    predictions: str,
    out: str,
    folder: str | None,
    compare: str | None,
    name: str | None,
    compare_name: str | None,
    num_images: int,
    resamples: int,
    quiet: bool,
    **options,
) -> None:
    """Write a page about a prediction file, of this or another code base.

    One HTML file that needs no network: metrics, errors, classes, best and worst images, comparison with another
    run. PREDICTIONS is any file that `hqm-mmdet eval` takes. See docs/report.md.

    \b
    report predictions.pkl --ann-file data/hico_20160224_det/annotations/test_hico.json
           --images data/hico_20160224_det/images/test2015
    """
    images = load_images(folder=folder, **options)
    pictures = find_images(folder, images.reader.upright)
    settings = dict(num_cases=num_images, resamples=resamples, progress=not quiet)
    if compare:
        comparison = compare_files(compare, predictions, images, **settings)
        first, second = renamed(comparison.first, compare_name), renamed(comparison.second, name)
        run = replace(comparison, first=first, second=second)
    else:
        run = renamed(analyse_file(predictions, images, **settings), name)
    path = write_page(out, build_report(run, pictures))
    tell(run, pictures, path)


def renamed(analysis: Analysis, name: str | None) -> Analysis:
    """An analysis called as the reader wants it."""
    return replace(analysis, name=name) if name else analysis


def find_images(folder: str | None, upright: bool) -> ImageFolder:
    """Images of the page; ``upright`` as the data set has it.

    Raises:
        UsageError: no such folder.
    """
    if folder is not None and not Path(folder).is_dir():
        raise UsageError(f"--images {folder}: no such folder. Leave it out for boxes on grey.")
    return ImageFolder(folder, upright=upright)


def tell(run: Analysis | Comparison, pictures: ImageFolder, path: Path) -> None:
    """The headline, what was not found, and where the page lies."""
    analysis = run.second if isinstance(run, Comparison) else run
    for metric in analysis.metrics:
        if metric.key == analysis.headline:
            interval = "" if metric.low is None else f" (95 % interval {percent(metric.low)} to {percent(metric.high)})"
            click.echo(f"{analysis.name}: {metric_name(metric.key)} {percent(metric.value)}{interval}")
    for each in (run.first, run.second) if isinstance(run, Comparison) else (run,):
        warn_of_missing(each.name, each.missing, each.num_images)
        warn_of_doubts(each.name, each.warnings)
        tell_unknown(each.name, each.unknown)
    if pictures.shortfall:
        # An error of a given folder; without a folder it is what was asked for.
        click.echo(pictures.shortfall, err=pictures.folder is not None)
    click.echo(f"Open {path}")
