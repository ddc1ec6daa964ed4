"""``hqm-mmdet eval``, ``tools/eval_predictions.py``."""

import json
import math

import click

from hqm_mmdet.evaluation.offline import evaluate_file
from hqm_mmdet.utils.atomic_io import write_atomically

from .evaluation import load_images, tell_unknown, warn_of_doubts, warn_of_missing


def evaluate(file: str, out: str | None, bootstrap: int, **options) -> None:
    """Evaluate and print."""
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
