"""``hqm-mmdet report``."""

from dataclasses import replace
from pathlib import Path

import click

from hqm_mmdet.evaluation.analysis import Analysis, Comparison, analyse_file, compare_files
from hqm_mmdet.pages.formats import percent
from hqm_mmdet.pages.pictures import ImageFolder
from hqm_mmdet.pages.render import write_page
from hqm_mmdet.pages.report import build_report
from hqm_mmdet.pages.report.wording import metric_name

from .evaluation import load_images, tell_unknown, warn_of_doubts, warn_of_missing


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
    """Analyse and write the page."""
    images = load_images(folder=folder, **options)
    pictures = ImageFolder(folder, upright=images.reader.upright)
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
