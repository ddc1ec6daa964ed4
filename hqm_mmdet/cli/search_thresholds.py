"""``hqm-mmdet search-thresholds``."""

from collections.abc import Mapping
from pathlib import Path

import click
import numpy as np
from rich.progress import track

from hqm_mmdet.apis.suppress_file import FileNames, FileSuppression, each_entry, read_entries
from hqm_mmdet.evaluation.functional import interactive_pairs
from hqm_mmdet.evaluation.offline import EvaluationSet, PredictionError
from hqm_mmdet.models.interactiveness import NonInteractionSuppression, ThresholdSearch
from hqm_mmdet.utils.atomic_io import write_atomically

from .evaluation import load_images, tell_doubt
from .settings import require_device


def search_thresholds(
    predictions: str,
    images: str,
    checkpoint: str,
    out: str,
    cost: float,
    min_pairs: int,
    device: str,
    quiet: bool,
    **options,
) -> None:
    """Judge all pairs, search, write."""
    require_device(device)
    truth = load_images(folder=images, **options)
    metainfo = truth.metric.dataset_meta
    entries = read_entries(predictions, metainfo)
    if not entries:
        raise PredictionError(f"{predictions}: no entry. Predict the images of the annotations first.")
    network, names = NonInteractionSuppression(checkpoint), FileNames.of_metainfo(metainfo)
    judge = FileSuppression(network, images, names, device, truth.reading)
    judged = each_entry(predictions, entries, lambda entry: _judged(entry, judge, truth))
    columns = zip(*track(judged, "judging", len(entries), disable=quiet), strict=True)
    scores, labels, interactive = map(np.concatenate, columns)
    tell_doubt(predictions, judge)
    thresholds = ThresholdSearch(cost, min_pairs)(scores, labels, interactive)
    write_atomically(out, thresholds.as_json(tuple(metainfo["classes"])).encode())
    click.echo(
        f"{len(labels)} pairs, {int(interactive.sum())} of them labelled; {len(thresholds.per_class)} of "
        f"{len(metainfo['classes'])} classes have thresholds of their own; wrote {Path(out)}"
    )


def _judged(entry: Mapping, judge: FileSuppression, truth: EvaluationSet) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores (P, 2), object labels (P,) and matches (P,) of an image's pairs."""
    position = truth.position(entry["file_name"])
    if position is None:
        raise PredictionError("the annotations have no such image; use those of the split that was predicted.")
    pairs, _ = judge.pairs(entry)
    labelled = truth.truths[position]
    hois = labelled["hois"][labelled["hois"][:, 1] >= 0]
    subjects, objects = (labelled["boxes"][hois[:, column]] for column in (0, 1))
    matched = interactive_pairs(pairs.sub_bboxes.numpy(), pairs.obj_bboxes.numpy(), subjects, objects)
    return judge.judge(entry, pairs).numpy(), pairs.obj_labels.numpy(), matched
