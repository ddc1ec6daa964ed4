"""``hqm-mmdet convert``, ``tools/model_converters/convert.py``."""

import click

from hqm_mmdet.apis.conversion import convert_to_file
from hqm_mmdet.checkpoints import SOURCES, ConversionReport
from hqm_mmdet.checkpoints.convert import DATASETS
from hqm_mmdet.checkpoints.initialise import INITIALISERS

from .base import ToolCommand, writable_file


@click.command(cls=ToolCommand)
@click.argument("src")
@click.argument("dst", callback=writable_file)
@click.option("--source", type=click.Choice(list(SOURCES)), help="Overrides the recognition.")
@click.option("--dataset", type=click.Choice(DATASETS), default="hico", help="Object classes of an initialised head.")
@click.option("--model", type=click.Choice(list(INITIALISERS)), help="Pair detector that a DETR initialises.")
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
def convert(
    src: str,
    dst: str,
    source: str | None,
    dataset: str,
    model: str | None,
    random_decoder: bool,
    config: str | None,
    partial: bool,
    trust: bool,
    quiet: bool,
) -> None:
    """Convert the checkpoint SRC of another code base to DST (.pth or .safetensors).

    The source (official QPIC, CDN, HOTR or HQM, official DETR, mmdet DETR or Conditional DETR) is recognised by its
    keys. A DETR becomes the initialisation of a pair detector, QPIC unless --model says otherwise; a Conditional DETR
    that of Conditional DETR for pairs. What was renamed, kept, added, dropped and is missing is printed. DST of a pair
    detector holds its config and names, so that `hqm-mmdet predict` needs nothing else. See docs/checkpoints.md.
    """
    options = dict(model=model, copy_decoder=not random_decoder, partial=partial, trust=trust)
    report, name = convert_to_file(src, dst, config, source=source, dataset=dataset, **options)
    click.echo(report.summary() if quiet else report)
    click.echo(f"wrote {dst}{what_for(report, name, dst)}")


def what_for(report: ConversionReport, config: str | None, dst: str) -> str:
    """What one does with the file."""
    if config is not None:
        return f" with the config {config} and its names: hqm-mmdet predict photo.jpg --checkpoint {dst}"
    if SOURCES[report.source].initialises:
        return f"; training starts from it: hqm-mmdet train CONFIG --cfg-options load_from={dst}"
    return "; it fits none of the project's configs of this method, so give --config wherever it is used"
