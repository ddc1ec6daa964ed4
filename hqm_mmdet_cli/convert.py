"""``hqm-mmdet convert``, ``tools/model_converters/convert.py``."""

import click

from .checks import require_checkpoint, require_config
from .command import ToolCommand, work
from .options import writable_file

# A test compares these with the library's tables.
SOURCES = (
    *("hoiclip", "genvlkt", "cdn_hqm", "cdn", "qpic", "hqm", "hotr", "tin", "upt", "pvic_h_detr", "pvic", "detr"),
    *("h_detr", "mmdet_conditional_detr", "mmdet_detr"),
)
MODELS = ("qpic", "cdn", "conditional", "hotr", "genvlkt", "hoiclip", "detector", "h_detector")
DATASETS = ("hico", "vcoco")


@click.command(cls=ToolCommand)
@click.argument("src")
@click.argument("dst", callback=writable_file)
@click.option("--source", type=click.Choice(SOURCES), help="Overrides the recognition.")
@click.option("--dataset", type=click.Choice(DATASETS), default="hico", help="Object classes of an initialised head.")
@click.option("--model", type=click.Choice(MODELS), help="Pair detector that a DETR initialises.")
@click.option(
    "--random-decoder", is_flag=True, help="The interaction decoder is no copy of DETR's (as in the official code)."
)
@click.option("--config", help="The model that DST is for: what DST lacks of it is listed, shapes are compared.")
@click.option("--partial", is_flag=True, help="Convert a pair detector of which tensors are left over or missing.")
@click.option(
    "--trust",
    is_flag=True,
    help="Read SRC with unrestricted unpickling: IT CAN RUN ANY CODE. For old files whose author you trust.",
)
@click.option("--quiet", is_flag=True, help="Print the summary only.")
def convert(**options) -> int:
    """Convert the checkpoint SRC of another code base to DST (.pth or .safetensors).

    The source (official pair detectors and DETR, mmdet's DETR and Conditional DETR; --source) is recognised by its
    keys. A DETR becomes the initialisation of a pair detector, QPIC unless --model says otherwise; a Conditional DETR
    that of Conditional DETR for pairs. What was renamed, kept, added, dropped and is missing is printed. DST of a pair
    detector holds its config and names, so that `hqm-mmdet predict` needs nothing else. See docs/checkpoints.md.
    """
    require_config(options["config"])
    require_checkpoint(options["src"])
    return work("convert.convert")(**options)
