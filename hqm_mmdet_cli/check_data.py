"""``hqm-mmdet check-data``, ``tools/check_dataset.py``."""

import click

from .command import ToolCommand, work
from .data_options import data_options, require_data
from .options import writable_file


@click.command("check-data", cls=ToolCommand)
@data_options
@click.option("--no-images", is_flag=True, help="Check annotations only.")
@click.option("--suspicious", is_flag=True, help="Also list what is allowed but worth a look, e.g. tiny boxes.")
@click.option(
    "--max-shown",
    type=click.IntRange(0),
    default=5,
    show_default=True,
    metavar="N",
    help="Print at most N problems of a kind; --json has all.",
)
@click.option("--json", "out", callback=writable_file, metavar="FILE", help="Write all problems and numbers there.")
@click.option("--strict", is_flag=True, help="Exit status 1 for warnings too.")
def check_data(**options) -> int:
    """List problems of a data set, print numbers.

    Exit status 0: sound; 1: problems; 2: it can't be checked.

    \b
    check-data configs/qpic_hico.py
    check-data configs/qpic_vcoco.py --splits test --no-images
    check-data --dataset HOIDataset --names data/own/names.json
               --ann-file data/own/train.json data/own/test.json --images data/own/images
    """
    require_data(**options)
    return work("check_data.check_data")(**options)
