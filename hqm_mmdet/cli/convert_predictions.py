"""``hqm-mmdet convert-predictions``."""

import click

from hqm_mmdet.evaluation.exchange import FORMATS, write_predictions

from .base import ToolCommand
from .evaluation_options import evaluation_options, load_images, tell_unknown, warn_of_doubts, warn_of_missing


@click.command("convert-predictions", cls=ToolCommand)
@click.argument("file")
@click.argument("out")
@click.option(
    "--to",
    required=True,
    type=click.Choice(list(FORMATS)),
    help="; ".join(f"{name}: {form.what}" for name, form in FORMATS.items()) + ".",
)
@evaluation_options
@click.option("--quiet", is_flag=True, help="No progress bars.")
def convert_predictions(file: str, out: str, to: str, quiet: bool, **options) -> None:
    """Write the predictions in FILE as OUT, in the format of another code base.

    FILE is any file that `hqm-mmdet eval` takes. Written are the candidates that the metric takes, so evaluating OUT
    gives what evaluating FILE with the same options gives. OUT is a file, with --to matlab a folder.

    \b
    convert-predictions predictions.pkl matlab/ --to matlab --protocol matlab
                        --ann-file data/hico_20160224_det/annotations/test_hico.json
    """
    images = load_images(**options)
    found = write_predictions(file, out, to, images, not quiet)
    warn_of_missing(file, found.missing, len(images.file_names))
    warn_of_doubts(file, found.warnings)
    tell_unknown(file, found.unknown)
    click.echo(f"wrote {out}: {len(images.file_names)} images")
