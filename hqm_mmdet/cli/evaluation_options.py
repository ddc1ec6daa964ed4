"""What commands that compare a prediction file with annotations have in common."""

import re
from collections.abc import Callable, Sequence

import click

from hqm_mmdet.datasets.annotations import read_annotations
from hqm_mmdet.datasets.conversion.v_coco import is_official_vcoco
from hqm_mmdet.evaluation.offline import DATASETS, EvaluationSet, load_evaluation_set
from hqm_mmdet.utils.launch import UsageError

from .base import SeveralOption

# How image files of the published data sets are called, and of ToyHOI.
FILE_NAMES = {
    r"HICO_(train|test)2015_\d+": "hico",
    r"COCO_(train|val)2014_\d+": "vcoco",
    r"toy_(train|test)_\d+": "toy",
}
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
    click.option("--zero-shot", metavar="SPLIT", help="hico: also report seen and unseen, e.g. rare_first."),
    click.option("--pair-nms", is_flag=True, help="All but hoia: drop repetitions as CDN does (vcoco: whole pairs)."),
)


def evaluation_options(function: Callable) -> Callable:
    """Give a command the options that :func:`load_images` takes."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function


def load_images(
    dataset: str | None, ann_file: str, coco_file: tuple[str, ...], pair_nms: bool, **options
) -> EvaluationSet:
    """Annotations and metric.

    Raises:
        UsageError: options that do not fit, or the data set is neither given nor told by the files.
        FileNotFoundError, AnnotationError: a file is missing or unfit.
    """
    dataset = dataset or guess_dataset(ann_file, options.get("names_file"))
    if pair_nms and dataset == "hoia":
        raise UsageError("--pair-nms is not for HOI-A, whose protocol has none.")
    if pair_nms:
        options["pair_nms"] = {}
    try:
        return load_evaluation_set(dataset, ann_file, list(coco_file) or None, **options)
    except ValueError as error:
        raise UsageError(str(error)) from error


def guess_dataset(ann_file: str, names_file: str | None = None) -> str:
    """The data set of an annotation file.

    Raises:
        UsageError: nothing tells.
    """
    if names_file is not None:
        return "own"
    entries = read_annotations(ann_file)
    if is_official_vcoco(entries):
        return "vcoco"
    names = [str(entry.get("file_name")) if isinstance(entry, dict) else "" for entry in entries] or [""]
    found = [dataset_of_image(name) for name in names]
    # All names, not the first: a file of two data sets belongs to neither.
    odd = next((i for i, dataset in enumerate(found) if dataset is None or dataset != found[0]), None)
    if odd is not None:
        which = f"its first image is {names[0]!r}" + (f", but there is also {names[odd]!r}" if odd else "")
        raise UsageError(
            f"{ann_file} does not tell which data set it belongs to ({which}). Give --dataset, one of "
            f"{', '.join(sorted(DATASETS))}."
        )
    return found[0]


def dataset_of_image(name: str) -> str | None:
    """The published data set whose images are called so."""
    return next((dataset for pattern, dataset in FILE_NAMES.items() if re.search(rf"(^|[\\/]){pattern}", name)), None)


def warn_of_missing(name: str, missing: Sequence[str], num_images: int) -> None:
    """Say how many of the images a prediction file says nothing about, if there are any."""
    if missing:
        click.echo(
            f"warning: {name}: {len(missing)} of {num_images} images have no prediction; their ground truth counts as "
            f"not found. First: {missing[0]}",
            err=True,
        )
