"""What commands that compare a prediction file with annotations have in common."""

from collections.abc import Sequence
from dataclasses import replace

import click

from hqm_mmdet.apis.suppress_file import FileSuppression
from hqm_mmdet.evaluation.offline import BoxReading, EvaluationSet, PredictionError, load_evaluation_set


def load_images(
    dataset: str | None,
    ann_file: str,
    coco_file: tuple[str, ...],
    pair_nms: bool,
    skip_unknown: bool,
    boxes: str,
    strict: bool,
    folder: str | None = None,
    **options,
) -> EvaluationSet:
    """Annotations and metric; ``folder`` holds the images.

    Raises:
        FileNotFoundError, AnnotationError, ConfigError: see
            :func:`~hqm_mmdet.evaluation.offline.load_evaluation_set`.
    """
    if pair_nms:
        options["pair_nms"] = {}
    images = load_evaluation_set(dataset, ann_file, list(coco_file) or None, **options)
    return replace(images, reading=BoxReading(boxes, folder, strict), skip_unknown=skip_unknown)


def warn_of_doubts(name: str, warnings: Sequence[str]) -> None:
    """Say what makes the numbers of a prediction file doubtful."""
    for warning in warnings:
        click.echo(f"warning: {name}: {warning}.", err=True)


def tell_doubt(name: str, run: FileSuppression) -> None:
    """Say that a file's boxes look like another convention's.

    Raises:
        PredictionError: so it is, and the reading is strict.
    """
    doubt = run.signs.finding()
    if doubt and run.reading.strict:
        raise PredictionError(f"{name}: {doubt}")
    warn_of_doubts(name, (doubt,) if doubt else ())


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
