"""``hqm-mmdet eval``, ``tools/eval_predictions.py``."""

import json
import math

import click

from hqm_mmdet.evaluation.offline import DATASETS, evaluate_file, load_evaluation_set
from hqm_mmdet.utils.atomic_io import write_atomically
from hqm_mmdet.utils.launch import UsageError

from .base import SeveralOption, ToolCommand


@click.command(cls=ToolCommand)
@click.argument("file")
@click.option("--dataset", type=click.Choice(sorted(DATASETS)), required=True)
@click.option("--ann-file", required=True, help="Annotations of the split, HOIA-style or official vcoco_*.json.")
@click.option("--coco-file", cls=SeveralOption, help="COCO instances file(s), with official V-COCO annotations.")
@click.option("--names-file", metavar="JSON", help="own: names.json, see docs/own_data.md.")
@click.option(
    "--train-ann-file", metavar="JSON", help="toy, own: training annotations, for valid combinations and the rare set."
)
@click.option(
    "--protocol",
    help="hico, toy, own: qpic (default), ppdm, matlab, pocket; vcoco: official (default), official_masked.",
)
@click.option("--zero-shot", metavar="SPLIT", help="hico: also report seen and unseen, e.g. rare_first.")
@click.option("--pair-nms", is_flag=True, help="hico, toy, own: drop repeated triplets as CDN does.")
@click.option("--json", "out", metavar="OUT", help="Write {metric: number} (null: no class with ground truth).")
@click.option("--bootstrap", type=int, default=0, metavar="N", help="Resamples for 95 % confidence intervals.")
def evaluate(
    file: str,
    dataset: str,
    ann_file: str,
    coco_file: tuple[str, ...],
    names_file: str | None,
    train_ann_file: str | None,
    protocol: str | None,
    zero_shot: str | None,
    pair_nms: bool,
    out: str | None,
    bootstrap: int,
) -> None:
    """Evaluate a prediction FILE, of this or another code base.

    FILE: a JSON list of {file_name, predictions, hoi_prediction} (the field's format), a pickle of mmengine's
    DumpResults (test --out), QPIC's list of predictions, or V-COCO's official list of detections (.json, .json.gz,
    .pkl, .pickle). See docs/evaluation.md.
    """
    if pair_nms and dataset in ("vcoco", "hoia"):
        raise UsageError("--pair-nms is for HICO-DET's metric (hico, toy, own).")
    options = dict(names_file=names_file, train_ann_file=train_ann_file, bootstrap=bootstrap)
    options |= dict(pair_nms={}) if pair_nms else {}
    try:
        images = load_evaluation_set(dataset, ann_file, list(coco_file) or None, protocol, zero_shot, **options)
    except ValueError as error:
        raise UsageError(str(error)) from error
    result = evaluate_file(file, images)
    click.echo(result.table)
    if result.missing:
        click.echo(
            f"warning: {len(result.missing)} of {len(images.file_names)} images have no prediction; their ground truth "
            f"counts as not found. First: {result.missing[0]}",
            err=True,
        )
    if out:
        numbers = {key: None if math.isnan(value) else value for key, value in result.metrics.items()}
        write_atomically(out, (json.dumps(numbers, indent=1) + "\n").encode())
