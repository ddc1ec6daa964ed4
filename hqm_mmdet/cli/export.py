"""``hqm-mmdet export``."""

import click

from hqm_mmdet.apis.deployment.export import TOLERANCE, export_onnx

from .settings import read_config


def export(checkpoint: str, config: str | None, cfg_options: tuple[str, ...], out: str) -> None:
    """Export and say how far it is from PyTorch."""
    differences = export_onnx(read_config(config, cfg_options), checkpoint, out)
    for name, difference in differences.items():
        click.echo(f"  {name:<12} differs from PyTorch by at most {difference:.1e}")
    click.echo(f"wrote {out} (tolerance {TOLERANCE:g})")
