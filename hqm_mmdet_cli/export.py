"""``hqm-mmdet export``."""

import click

from .checks import require_checkpoint, require_config
from .command import ToolCommand, work
from .options import model_options, writable_file


@click.command(cls=ToolCommand)
@model_options
@click.option("--out", required=True, callback=writable_file, metavar="FILE.onnx", help="File to write.")
@click.option(
    "--head",
    is_flag=True,
    help="UPT, PViC: without the detector, instances in. Default: with it where it is a query detector.",
)
def export(**options) -> int:
    """Write a detector as an ONNX file (image to pairs, any height and width), checked against PyTorch.

    Of UPT and PViC on a detector that can't be part of a graph it is the head (instances to pairs).

    See docs/export.md, also for how to run the file without this package.

    \b
    hqm-mmdet export --checkpoint published/qpic_toy-1a2b3c4d.pth --out qpic_toy.onnx
    """
    require_config(options["config"], options["cfg_options"])
    require_checkpoint(options["checkpoint"])
    return work("export.export")(**options)
