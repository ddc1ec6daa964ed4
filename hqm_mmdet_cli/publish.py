"""``hqm-mmdet publish``."""

import click

from .checks import require_checkpoint, require_config, require_writable_folder
from .command import ToolCommand, work
from .options import SeveralOption, cfg_options

FORMATS = ("pth", "safetensors")  # a test compares with hqm_mmdet.checkpoints.files


@click.command(cls=ToolCommand)
@click.argument("checkpoint")
@click.argument("out")
@click.option("--config", metavar="FILE", help="Default: the one that the checkpoint holds.")
@cfg_options
@click.option("--format", "formats", cls=SeveralOption, type=click.Choice(FORMATS), help="Default: both.")
def publish(**options) -> int:
    """Make OUT-<hash>.pth and OUT-<hash>.safetensors of a training's CHECKPOINT: all that predicting needs.

    They hold weights, config and names of classes and verbs; optimizer and what only mining needs stay behind. The
    files are read again and must predict exactly the same.

    \b
    hqm-mmdet publish work_dirs/qpic_toy/epoch_20.pth published/qpic_toy
    """
    require_config(options["config"], options["cfg_options"])
    require_checkpoint(options["checkpoint"])
    require_writable_folder(f"{options['out']}-".rpartition("/")[0] or ".")
    return work("publish.publish")(**options)
