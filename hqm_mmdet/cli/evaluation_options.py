"""What commands that compare a prediction file with annotations have in common."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import click

from hqm_mmdet.apis.suppress_file import FileSuppression
from hqm_mmdet.evaluation.offline import DATASETS, BoxReading, EvaluationSet, PredictionError, load_evaluation_set
from hqm_mmdet.evaluation.offline.box_conventions import CONVENTIONS

from .base import SeveralOption

BOX_OPTIONS = (
    click.option(
        "--boxes",
        type=click.Choice(list(CONVENTIONS)),
        default="xyxy",
        show_default=True,
        help="How the file writes boxes; see docs/evaluation.md.",
    ),
    click.option("--strict", is_flag=True, help="Refuse a file whose boxes look like another convention's."),
)
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
    click.option("--zero-shot", metavar="SPLIT", help="hico, toy: also report seen and unseen, e.g. rare_first."),
    *BOX_OPTIONS,
    click.option("--pair-nms", is_flag=True, help="All but hoia: drop repetitions as CDN does (vcoco: whole pairs)."),
)


def evaluation_options(function: Callable) -> Callable:
    """Give a command the options that :func:`load_images` takes."""
    return with_options(function, OPTIONS)


def box_options(function: Callable) -> Callable:
    """Give a command the options that say how a prediction file writes boxes."""
    return with_options(function, BOX_OPTIONS)


def with_options(function: Callable, options: Sequence[Callable]) -> Callable:
    """A command with more options, in this order."""
    for option in reversed(options):
        function = option(function)
    return function


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
