"""``hqm-mmdet search-thresholds``."""

import click

from .checks import require_checkpoint, require_folders
from .command import ToolCommand, work
from .evaluation_options import evaluation_options, require_evaluation_files
from .options import FiniteRange, device, quiet, writable_file


@click.command("search-thresholds", cls=ToolCommand)
@click.argument("predictions")
@evaluation_options
@click.option("--images", required=True, metavar="FOLDER", help="The images that were predicted.")
@click.option("--checkpoint", required=True, metavar="FILE", help="An interactiveness network.")
@click.option("--out", required=True, callback=writable_file, metavar="JSON", help="Where the thresholds go.")
@click.option("--cost", type=FiniteRange(0), default=10.0, show_default=True, help="Right ones per wrong one.")
@click.option("--min-pairs", type=click.IntRange(1), default=10, show_default=True, help="Fewer: rare, not searched.")
@device
@quiet
def search_thresholds(predictions: str, **options) -> int:
    """Choose thresholds of suppression for every object class, on held-out training images.

    PREDICTIONS (JSON or a pickle) are a detector's, of images that neither it nor the network was trained on. A class
    with fewer than --min-pairs labelled pairs keeps 0.9 and 0.1.
    """
    require_evaluation_files(predictions, **options)
    require_folders(options["images"])
    require_checkpoint(options["checkpoint"])
    return work("search_thresholds.search_thresholds")(predictions=predictions, **options)
