"""``hqm-mmdet eval``, ``tools/eval_predictions.py``."""

import click

from .checks import require_folders
from .command import ToolCommand, work
from .evaluation_options import evaluation_options, require_evaluation_files
from .options import writable_file


@click.command(cls=ToolCommand)
@click.argument("file")
@evaluation_options
@click.option("--images", "folder", metavar="FOLDER", help="Image files, for --boxes fractions.")
@click.option(
    "--json",
    "out",
    callback=writable_file,
    metavar="OUT",
    help="Write {metric: number} (null: no class with ground truth).",
)
@click.option(
    "--bootstrap", type=click.IntRange(0), default=0, metavar="N", help="Resamples for 95 % confidence intervals."
)
def evaluate(file: str, folder: str | None, **options) -> int:
    """Evaluate a prediction FILE, of this or another code base.

    FILE: a JSON list of {file_name, predictions, hoi_prediction} (the field's format), a pickle of mmengine's
    DumpResults (test --out), QPIC's list of predictions, V-COCO's official list of detections, results of GEN-VLKT,
    HOICLIP and HoiTransformer (.json, .json.gz, .pkl, .pickle), or a folder of UPT's detections_XX.mat. See
    docs/evaluation.md.
    """
    require_evaluation_files(file, **options)
    require_folders(folder)
    return work("eval.evaluate")(file=file, folder=folder, **options)
