"""``hqm-mmdet eval``, ``tools/eval_predictions.py``."""

import json
import math

import click

from hqm_mmdet.evaluation.offline import evaluate_file
from hqm_mmdet.utils.atomic_io import write_atomically

from .base import ToolCommand, writable_file
from .evaluation_options import evaluation_options, load_images, tell_unknown, warn_of_doubts, warn_of_missing


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
def evaluate(file: str, out: str | None, bootstrap: int, **options) -> None:
    """Evaluate a prediction FILE, of this or another code base.

    FILE: a JSON list of {file_name, predictions, hoi_prediction} (the field's format), a pickle of mmengine's
    DumpResults (test --out), QPIC's list of predictions, V-COCO's official list of detections, results of GEN-VLKT,
    HOICLIP and HoiTransformer (.json, .json.gz, .pkl, .pickle), or a folder of UPT's detections_XX.mat. See
    docs/evaluation.md.
    """
    images = load_images(bootstrap=bootstrap, **options)
    result = evaluate_file(file, images)
    try:
        click.echo(result.table)
        warn_of_missing(file, result.missing, len(images.file_names))
        warn_of_doubts(file, result.warnings)
        tell_unknown(file, result.unknown)
    finally:  # a closed pipe (`| head`) must not cost the file, nor a full disk the table
        if out:
            # JSON has no NaN.
            numbers = {key: None if math.isnan(value) else value for key, value in result.metrics.items()}
            write_atomically(out, (json.dumps(numbers, indent=1) + "\n").encode())
