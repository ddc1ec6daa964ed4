"""``hqm-mmdet suppress``."""

import json
from pathlib import Path

import click
from rich.progress import track

from hqm_mmdet.apis.suppress_file import FileNames, FileSuppression, each_entry, read_entries
from hqm_mmdet.evaluation.offline import DATASETS, BoxReading
from hqm_mmdet.evaluation.offline.guessing import dataset_of_image
from hqm_mmdet.models.interactiveness import NonInteractionSuppression, SuppressionThresholds
from hqm_mmdet.utils.atomic_io import write_atomically
from hqm_mmdet_cli.errors import UsageError

from .evaluation import tell_doubt
from .settings import require_device


def suppress(
    predictions: str,
    images: str,
    checkpoint: str,
    out: str,
    mode: str,
    thresholds: str | None,
    above: float,
    below: float,
    dataset: str | None,
    keep_judgements: bool,
    device: str,
    quiet: bool,
    boxes: str,
    strict: bool,
) -> None:
    """Judge all pairs, change their scores, write."""
    require_device(device)
    metainfo = metainfo_of(dataset, [])
    entries = read_entries(predictions, metainfo)
    metainfo = metainfo or metainfo_of(None, entries)
    limits = SuppressionThresholds(above, below)
    if thresholds is not None:
        if metainfo is None:
            raise UsageError("--thresholds names classes; say with --dataset which data set's they are.")
        limits = SuppressionThresholds.from_file(thresholds, tuple(metainfo["classes"]))
    suppression = NonInteractionSuppression(checkpoint, mode=mode)
    suppression.thresholds = limits
    names, reading = metainfo and FileNames.of_metainfo(metainfo), BoxReading(boxes, images, strict)
    run = FileSuppression(suppression, images, names, device, reading, keep_judgements)
    changed = each_entry(predictions, entries, run)
    changed = list(track(changed, "suppressing", len(entries), disable=quiet))
    tell_doubt(predictions, run)
    write_atomically(out, (json.dumps(changed, separators=(",", ":")) + "\n").encode())
    what = f"{run.counts.suppressed} suppressed" if mode == "suppress" else "scores multiplied"
    click.echo(f"{run.counts.pairs} pairs in {run.counts.images} images, {what}; wrote {Path(out)}")


def metainfo_of(dataset: str | None, entries: list[dict]) -> dict | None:
    """Class names of a data set, given or told by the image names; None if neither says."""
    if dataset is None and entries:
        dataset = dataset_of_image(str(entries[0].get("file_name")))
    if dataset in (None, "own"):
        return None
    metainfo = dict(DATASETS[dataset][1].METAINFO)
    for names, ids in (("classes", "category_ids"), ("verbs", "verb_ids")):
        metainfo.setdefault(ids, range(1, len(metainfo[names]) + 1))
    return metainfo
