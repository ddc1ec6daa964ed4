"""``hqm-mmdet publish``."""

import click

from hqm_mmdet.apis.deployment.publish import publish_checkpoint
from hqm_mmdet.checkpoints.files import FORMATS

from .settings import read_config


def publish(
    checkpoint: str, out: str, config: str | None, cfg_options: tuple[str, ...], formats: tuple[str, ...]
) -> None:
    """Publish and say what was written."""
    done = publish_checkpoint(checkpoint, out, read_config(config, cfg_options), formats or FORMATS)
    click.echo(f"{done.num_parameters:,} parameters; {len(done.removed)} tensors that only training needs left out")
    for file in done.needs:
        click.echo(f"warning: the model also needs the file {file} (bbox_head.verb_object_mask)", err=True)
    for path in done.files:
        click.echo(f"wrote {path}")
