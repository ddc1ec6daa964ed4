"""``hqm-mmdet predict``."""

from collections.abc import Callable

import click

from .checks import require_checkpoint, require_config, require_files, require_inputs, require_writable_folder
from .command import ToolCommand, work
from .options import FiniteRange, SeveralOption, best_device, model_options, quiet, with_options, writable_file

SHOWN = (
    click.option("--score-thr", type=FiniteRange(0, 1), default=0.3, show_default=True, help="Least score shown."),
    click.option("--top-k", type=click.IntRange(1), metavar="N", help="Show the N best triplets of an image only."),
    click.option("--verb", "verbs", multiple=True, help="Show this verb only; may be repeated."),
    click.option(
        "--triplet", "triplets", multiple=True, metavar="VERB:OBJECT", help="Show this one only; may be repeated."
    ),
)
ASKED = (
    click.option(
        "--interactions",
        cls=SeveralOption,
        metavar="TEXT|FILE.txt ...",
        help="Look for these only, e.g. 'a person repairing a bicycle'; models that score texts.",
    ),
    click.option(
        "--verbs",
        "new_verbs",
        cls=SeveralOption,
        metavar="PHRASE ...",
        help="Look for these with every object, e.g. 'repairing'; likewise.",
    ),
    click.option(
        "--clip", metavar="FILE", help="CLIP weights for --interactions and --verbs. Default: those of the config."
    ),
)


def selection_options(function: Callable) -> Callable:
    """Give a command the options that say what is looked for and shown."""
    return with_options(function, SHOWN + ASKED)


@click.command(cls=ToolCommand)
@click.argument("inputs", nargs=-1, required=True, metavar="IMAGE|FOLDER|VIDEO|PATTERN...")
@model_options
@click.option("--convert", is_flag=True, help="The checkpoint is an official file of another code base: convert it.")
@click.option(
    "--out",
    default="predictions",
    show_default=True,
    metavar="FOLDER",
    help="Folder that gets the results, besides those that it holds.",
)
@click.option("--csv", metavar="FILE", callback=writable_file, help="Write what is shown as rows, one per triplet.")
@selection_options
@click.option("--annotations", metavar="FILE", help="HOIA-style labels to draw beside the predictions.")
@click.option("--attention", type=click.IntRange(0), default=0, metavar="N", help="Draw attention of the N best pairs.")
@click.option("--attention-head", type=click.IntRange(0), metavar="H", help="One head. Default: average of all heads.")
@click.option("--smoothing", type=FiniteRange(0, 1, max_open=True), default=0.0, help="Video: weight of the past.")
@click.option("--merge-iou", type=FiniteRange(0, 1), default=0.7, show_default=True, help="1: merge equals only.")
@click.option("--batch-size", type=click.IntRange(1), default=1, show_default=True)
@best_device
@click.option("--no-pictures", is_flag=True, help="Write no pictures.")
@click.option("--no-json", is_flag=True, help="Write no JSON file.")
@click.option("--allow-urls", is_flag=True, help="Read http:// and other addresses.")
@quiet
def predict(**options) -> int:
    """Predict one's own images or a video: OUT/pictures (or the annotated video) and OUT/predictions.json.

    Exit status 0: all done; 1: some images could not be read, they are listed; 2: nothing could be done.

    \b
    hqm-mmdet predict photo.jpg --checkpoint published.pth --out out
    hqm-mmdet predict 'photos/*.jpg' --checkpoint published.pth --verb ride --triplet hold:cup
    hqm-mmdet predict clip.mp4 --checkpoint published.pth --smoothing 0.7
    hqm-mmdet predict photo.jpg --checkpoint hoiclip.pth --interactions "a person repairing a bicycle"
    """
    require_inputs(options["inputs"])
    require_config(options["config"], options["cfg_options"])
    require_checkpoint(options["checkpoint"])
    require_files(options["annotations"])
    require_writable_folder(options["out"])
    return work("predict.predict")(**options)
