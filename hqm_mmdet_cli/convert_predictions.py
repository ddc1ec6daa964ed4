"""``hqm-mmdet convert-predictions``."""

import click

from .checks import require_writable, require_writable_folder
from .command import ToolCommand, work
from .evaluation_options import evaluation_options, require_evaluation_files

FORMATS = {  # a test compares with hqm_mmdet.evaluation.exchange
    "field": "PPDM and its successors",
    "genvlkt": "GEN-VLKT and HOICLIP",
    "hoitr": "HoiTransformer's evaluation scripts",
    "matlab": "HICO-DET's MATLAB code, as UPT and PViC export for it",
    "vcoco": "V-COCO's official script",
}


@click.command("convert-predictions", cls=ToolCommand)
@click.argument("file")
@click.argument("out")
@click.option(
    "--to",
    required=True,
    type=click.Choice(list(FORMATS)),
    help="; ".join(f"{name}: {what}" for name, what in FORMATS.items()) + ".",
)
@click.option(
    "--continuous",
    is_flag=True,
    help="--to matlab: x2, y2 of FILE end boxes, as converted UPT and PViC predict; last pixels are one less.",
)
@evaluation_options
@click.option("--quiet", is_flag=True, help="No progress bars.")
def convert_predictions(file: str, out: str, to: str, **options) -> int:
    """Write the predictions in FILE as OUT, in the format of another code base.

    FILE is any file that `hqm-mmdet eval` takes. Written are the candidates that the metric takes, so evaluating OUT
    gives what evaluating FILE with the same options gives. OUT is a file, with --to matlab a folder.

    \b
    convert-predictions predictions.pkl matlab/ --to matlab --protocol matlab
                        --ann-file data/hico_20160224_det/annotations/test_hico.json
    """
    require_evaluation_files(file, **options)
    (require_writable_folder if to == "matlab" else require_writable)(out)
    return work("convert_predictions.convert_predictions")(file=file, out=out, to=to, **options)
