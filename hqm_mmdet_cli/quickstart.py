"""``hqm-mmdet quickstart``, ``tools/quickstart.py``."""

import click

from .checks import require_config, require_writable_folder
from .command import ToolCommand, work
from .options import FiniteRange


@click.command(cls=ToolCommand)
@click.option("--config", default="qpic_hqm_toy", show_default=True, metavar="CONFIG", help="What is trained.")
@click.option("--compare", is_flag=True, help="Train without mining as well, and compare.")
@click.option("--seed", type=click.IntRange(0), help="Of the training. Default: the config's, 0.")
@click.option("--work-dir", metavar="FOLDER", help="Default: work_dirs/quickstart/<config>.")
@click.option("--pictures", type=click.IntRange(1), default=16, show_default=True, help="Test images that are drawn.")
@click.option(
    "--threshold",
    type=FiniteRange(0, 1),
    default=0.3,
    show_default=True,
    help="Verbs with a lower score are not drawn.",
)
def quickstart(**options) -> int:
    """From nothing to pictures: make the toy set, train on it, evaluate, draw predictions beside ground truth.

    Trains QPIC + HQM and writes pages about data and result. --config qpic_toy trains the plain detector, in less time;
    --compare trains both and ends with a page that shows what mining made better, and what worse. What is there
    already is used again; delete the work folder to start over. Everything goes below the current folder.
    """
    require_config(options["config"])
    require_writable_folder(options["work_dir"] or "work_dirs")
    return work("quickstart.quickstart")(**options)
