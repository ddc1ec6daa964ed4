"""``hqm-mmdet export``."""

import click

from hqm_mmdet.apis.deployment.export import TOLERANCE, export_onnx

from .base import ToolCommand, cfg_options, read_config, writable_file


@click.command(cls=ToolCommand)
@click.option("--checkpoint", required=True, metavar="FILE", help="Weights (.pth or .safetensors).")
@click.option("--config", metavar="FILE", help="Default: the one that the checkpoint holds.")
@cfg_options
@click.option("--out", required=True, callback=writable_file, metavar="FILE.onnx", help="File to write.")
def export(checkpoint: str, config: str | None, cfg_options: dict, out: str) -> None:
    """Write a detector as an ONNX file (image to pairs, any height and width), checked against PyTorch.

    See docs/export.md, also for how to run the file without this package.

    \b
    hqm-mmdet export --checkpoint published/qpic_toy-1a2b3c4d.pth --out qpic_toy.onnx
    """
    differences = export_onnx(read_config(config, cfg_options), checkpoint, out)
    for name, difference in differences.items():
        click.echo(f"  {name:<12} differs from PyTorch by at most {difference:.1e}")
    click.echo(f"wrote {out} (tolerance {TOLERANCE:g})")
