"""Options of commands that compare a prediction file with annotations."""

from collections.abc import Callable, Sequence

import click

from .checks import require_files
from .options import SeveralOption, with_options

# Tests compare these with the library's tables.
DATASETS = ("hico", "hoia", "own", "pastanet", "toy", "vcoco")
CONVENTIONS = ("xyxy", "xywh", "cxcywh", "corners", "fractions", "fractions_cxcywh")

BOX_OPTIONS = (
    click.option(
        "--boxes",
        type=click.Choice(CONVENTIONS),
        default="xyxy",
        show_default=True,
        help="How the file writes boxes; see docs/evaluation.md.",
    ),
    click.option("--strict", is_flag=True, help="Refuse a file whose boxes look like another convention's."),
)
OPTIONS = (
    click.option(
        "--dataset",
        type=click.Choice(DATASETS),
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
    """Give a command the options that ``hqm_mmdet.cli.evaluation.load_images`` takes."""
    return with_options(function, OPTIONS)


def box_options(function: Callable) -> Callable:
    """Give a command the options that say how a prediction file writes boxes."""
    return with_options(function, BOX_OPTIONS)


def require_evaluation_files(
    *predictions: str | None,
    ann_file: str,
    coco_file: Sequence[str],
    names_file: str | None,
    train_ann_file: str | None,
    **_,
) -> None:
    """Predictions (files, or UPT's folder) and annotations are there.

    Raises:
        FileNotFoundError: one is missing.
    """
    require_files(*predictions, folders=True)
    require_files(ann_file, *coco_file, names_file, train_ann_file)
