"""``hqm-mmdet publish``."""

import click

from hqm_mmdet.apis.deployment.publish import publish_checkpoint
from hqm_mmdet.checkpoints.files import FORMATS

from .base import SeveralOption, ToolCommand, cfg_options, read_config


@click.command(cls=ToolCommand)
@click.argument("checkpoint")
@click.argument("out")
@click.option("--config", metavar="FILE", help="Default: the one that the checkpoint holds.")
@cfg_options
@click.option("--format", "formats", cls=SeveralOption, type=click.Choice(FORMATS), help="Default: both.")
def publish(checkpoint: str, out: str, config: str | None, cfg_options: dict, formats: tuple[str, ...]) -> None:
    """Make OUT-<hash>.pth and OUT-<hash>.safetensors of a training's CHECKPOINT: all that predicting needs.

    They hold weights, config and names of classes and verbs; optimizer and what only mining needs stay behind. The
    files are read again and must predict exactly the same.

    \b
    hqm-mmdet publish work_dirs/qpic_toy/epoch_20.pth published/qpic_toy
    """
    done = publish_checkpoint(checkpoint, out, read_config(config, cfg_options), formats or FORMATS)
    click.echo(f"{done.num_parameters:,} parameters; {len(done.removed)} tensors that only training needs left out")
    for file in done.needs:
        click.echo(f"warning: the model also needs the file {file} (bbox_head.verb_object_mask)", err=True)
    for path in done.files:
        click.echo(f"wrote {path}")
