"""What commands that compare a prediction file with annotations have in common."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import click

from hqm_mmdet.evaluation.offline import DATASETS, EvaluationSet, load_evaluation_set

from .base import SeveralOption

OPTIONS = (
    click.option(
        "--dataset",
        type=click.Choice(sorted(DATASETS)),
        help="Default: what the annotation file's image names tell; with --names-file, own.",
    ),
    click.option("--ann-file", required=True, help="Annotations of the split, HOIA-style or official vcoco_*.json."),
    click.option("--coco-file", cls=SeveralOption, help="COCO instances file(s), with official V-COCO annotations."),
    click.option("--names-file", metavar="JSON", help="own: names.json, see docs/own_data.md."),
    click.option(
        "--train-ann-file",
        metavar="JSON",
        help="Training annotations; toy, own: for valid combinations and the rare set. Default: beside --ann-file.",
    ),
    click.option(
        "--protocol",
        help="hico, toy, own: qpic (default), ppdm, matlab, pocket; vcoco: official (default), official_masked.",
    ),
    click.option(
        "--skip-unknown", is_flag=True, help="Leave out predictions for images that the annotations do not have."
    ),
    click.option("--zero-shot", metavar="SPLIT", help="hico: also report seen and unseen, e.g. rare_first."),
    click.option("--pair-nms", is_flag=True, help="All but hoia: drop repetitions as CDN does (vcoco: whole pairs)."),
)


def evaluation_options(function: Callable) -> Callable:
    """Give a command the options that :func:`load_images` takes."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function


def load_images(
    dataset: str | None,
    ann_file: str,
    coco_file: tuple[str, ...],
    pair_nms: bool,
    skip_unknown: bool,
    **options,
) -> EvaluationSet:
    """Annotations and metric.

    Raises:
        FileNotFoundError, AnnotationError, ConfigError: see
            :func:`~hqm_mmdet.evaluation.offline.load_evaluation_set`.
    """
    if pair_nms:
        options["pair_nms"] = {}
    images = load_evaluation_set(dataset, ann_file, list(coco_file) or None, **options)
    return replace(images, skip_unknown=skip_unknown)


def warn_of_doubts(name: str, warnings: Sequence[str]) -> None:
    """Say what makes the numbers of a prediction file doubtful."""
    for warning in warnings:
        click.echo(f"warning: {name}: {warning}.", err=True)


def tell_unknown(name: str, unknown: Sequence[str | int]) -> None:
    """Say how many predicted images were left out, if any were."""
    if unknown:
        click.echo(
            f"{name}: {len(unknown)} images are not in the annotations and were left out (--skip-unknown). First: "
            f"{unknown[0]}",
            err=True,
        )


def warn_of_missing(name: str, missing: Sequence[str], num_images: int) -> None:
    """Say how many of the images a prediction file says nothing about, if there are any."""
    if missing:
        click.echo(
            f"warning: {name}: {len(missing)} of {num_images} images have no prediction; their ground truth counts as "
            f"not found. First: {missing[0]}",
            err=True,
        )
