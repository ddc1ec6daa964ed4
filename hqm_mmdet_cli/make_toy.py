"""``hqm-mmdet make-toy``, ``tools/dataset_converters/make_toy_hoi.py``."""

import click

from .checks import require_writable_folder
from .command import ToolCommand, work
from .options import FiniteRange, quiet

count = click.IntRange(0)


@click.command("make-toy", cls=ToolCommand)
@click.argument("out_dir", default="data/toy_hoi", metavar="[FOLDER]")
@click.option("--num-train", type=count, default=2000, show_default=True, help="Training images.")
@click.option("--num-test", type=count, default=400, show_default=True, help="Test images.")
@click.option("--seed", type=count, default=0, show_default=True, help="The same seed gives the same files.")
@click.option("--min-size", type=click.IntRange(96), default=104, show_default=True, help="Shortest side in pixels.")
@click.option("--max-size", type=click.IntRange(96), default=128, show_default=True, help="Longest side in pixels.")
@click.option(
    "--position-shift", is_flag=True, default=False, help="Training pairs lie in the lower left, test pairs opposite."
)
@click.option(
    "--tail-exponent", type=FiniteRange(0), default=4.5, show_default=True, help="How rare the rarest triplet is."
)
@click.option(
    "--test-tail-exponent", type=FiniteRange(0), default=1.0, show_default=True, help="The same for the test split."
)
@click.option("--overwrite", is_flag=True, help="Make it anew, whatever data set the folder holds.")
@quiet
def make_toy(**options) -> int:
    """Make the ToyHOI data set: drawings of people and things, in a minute. Default FOLDER: data/toy_hoi.

    \b
    make-toy data/toy_hoi
    make-toy data/toy_hoi_shift --position-shift
    """
    require_writable_folder(options["out_dir"])
    return work("make_toy.make_toy")(**options)
