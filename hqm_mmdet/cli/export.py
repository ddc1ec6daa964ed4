"""``hqm-mmdet export``."""

import click

from hqm_mmdet.apis.deployment.export import TOLERANCE, export_onnx

from .settings import read_config


def export(checkpoint: str, config: str | None, cfg_options: tuple[str, ...], out: str, head: bool) -> None:
    """Export, say what goes in, and how far it is from PyTorch."""
    exported = export_onnx(read_config(config, cfg_options), checkpoint, out, head)
    for name, difference in exported.differences.items():
        click.echo(f"  {name:<12} differs from PyTorch by at most {difference:.1e}")
    if "image" not in exported.inputs:
        click.echo(f"The graph is the head alone and takes instances of a detector: {', '.join(exported.inputs)}.")
    click.echo(f"wrote {out} (tolerance {TOLERANCE:g})")
