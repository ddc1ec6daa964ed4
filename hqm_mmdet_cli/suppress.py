"""``hqm-mmdet suppress``."""

import click

from .checks import require_checkpoint, require_files, require_folders
from .command import ToolCommand, work
from .evaluation_options import DATASETS, box_options
from .options import FiniteRange, device, quiet, writable_file

MODES = ("suppress", "multiply")  # a test compares with hqm_mmdet.models.interactiveness


@click.command(cls=ToolCommand)
@click.argument("predictions")
@click.option("--images", required=True, metavar="FOLDER", help="The images that were predicted.")
@click.option("--checkpoint", required=True, metavar="FILE", help="An interactiveness network.")
@click.option("--out", required=True, callback=writable_file, metavar="JSON", help="Where the changed predictions go.")
@click.option("--mode", type=click.Choice(MODES), default="suppress", show_default=True, help="What happens to scores.")
@click.option("--thresholds", metavar="JSON", help="What search-thresholds writes. Default: the two numbers below.")
@click.option("--above", type=FiniteRange(0, 1), default=0.9, show_default=True, help="P(non-interactive) exceeds.")
@click.option("--below", type=FiniteRange(0, 1), default=0.1, show_default=True, help="Largest P(interactive).")
@click.option("--dataset", type=click.Choice(DATASETS), help="Names of classes. Default: what image names tell.")
@box_options
@click.option("--keep-judgements", is_flag=True, help="Write what the network says, too; hqm-mmdet report shows it.")
@device
@quiet
def suppress(**options) -> int:
    """Lower the scores of pairs in PREDICTIONS that do not interact.

    Any code base may have made the file (JSON, or a pickle of `hqm-mmdet test`, which needs --dataset). Pairs that pass
    both thresholds get scores of 0 (suppress), or every score is multiplied by the probability that its pair interacts
    (multiply). With --above 1 nothing changes.

    \b
    hqm-mmdet suppress predictions.json --images images/test --checkpoint interactiveness.pth --out suppressed.json
    """
    require_files(options["predictions"], options["thresholds"])
    require_folders(options["images"])
    require_checkpoint(options["checkpoint"])
    return work("suppress.suppress")(**options)
