"""``hqm-mmdet browse``."""

import click

from .checks import require_writable_folder
from .command import ToolCommand, work
from .data_options import data_options, require_data


@click.command(cls=ToolCommand)
@data_options
@click.option("--out", metavar="FOLDER", required=True, help="Where the page goes: FOLDER/index.html.")
@click.option("--title", metavar="NAME", help="What the page calls the data set. Default: its own name.")
@click.option("--per-triplet", type=click.IntRange(1), default=3, show_default=True, help="Images of each triplet.")
@click.option("--per-flag", type=click.IntRange(0), default=12, show_default=True, help="Images of each finding.")
@click.option(
    "--max-images", type=click.IntRange(1), metavar="N", help="At most N images in the page. Default: 1000 with images."
)
@click.option("--no-images", is_flag=True, help="Read annotations only; boxes stand on grey.")
def browse(**options) -> int:
    """Write a page that shows a data set: numbers, verb-object matrix, images by triplet, what checks found.

    The page is one file and needs no network.

    \b
    browse configs/qpic_toy.py --out browse
    browse configs/qpic_hico.py --no-images --out browse
    browse --dataset HOIDataset --names data/own/names.json
           --ann-file data/own/train.json data/own/test.json --images data/own/images --out browse
    """
    require_data(**options)
    require_writable_folder(options["out"])
    return work("browse.browse")(**options)
