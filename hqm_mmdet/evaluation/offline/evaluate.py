"""Metrics of a prediction file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..metrics.records import Record
from .evaluation_set import EvaluationSet
from .prediction_files import FilePrediction, PredictionError, read_predictions


@dataclass(frozen=True)
class OfflineResult:
    """What an evaluation gives.

    Args:
        metrics (dict[str, float]): With the metric's prefix, e.g. ``hico/full``.
        table (str): The same for reading.
        missing (tuple[str, ...]): Images that the file says nothing about; their ground truth counts as not found.
    """

    metrics: dict[str, float]
    table: str
    missing: tuple[str, ...]


def evaluate_file(path: str | Path, images: EvaluationSet) -> OfflineResult:
    """Compare a prediction file with annotations.

    Args:
        path (str | Path): See :func:`~.prediction_files.read_predictions`.
        images (EvaluationSet): Annotations and metric.

    Returns:
        OfflineResult: Metrics.

    Raises:
        FileNotFoundError, CheckpointError: See :func:`~.prediction_files.read_predictions`.
        PredictionError: An entry is unfit, or names an image that is unknown or was named before.
    """
    metric, entry_of, by_position = images.metric, {}, False
    records = []
    for prediction in read_predictions(path, metric.dataset_meta):
        place = f"{path}: entry {prediction.entry} ({prediction.image})"
        position = _position(prediction, images, place)
        if position in entry_of:
            raise PredictionError(f"{place}: the image was already in entry {entry_of[position]}. Take one out.")
        entry_of[position], by_position = prediction.entry, prediction.by_position
        try:
            records.append(_record(images, position, prediction.sample))
        except ValueError as error:
            raise PredictionError(f"{place}: {error}") from error
    missing = [i for i in range(len(images.file_names)) if i not in entry_of]
    if by_position and missing:
        raise PredictionError(
            f"{path}: {len(entry_of)} entries for {len(images.file_names)} images. A list without file names must have "
            "one entry per image of the annotation file, in its order."
        )
    records += [_record(images, i, dict(pred_pairs=_no_pairs(metric.dataset_meta))) for i in missing]
    metrics, table = metric.summarize(sorted(records, key=lambda record: record.img_id))
    names = tuple(images.file_names[i] for i in missing)
    return OfflineResult({f"{metric.default_prefix}/{key}": value for key, value in metrics.items()}, table, names)


def _position(prediction: FilePrediction, images: EvaluationSet, place: str) -> int:
    if prediction.by_position:
        position = prediction.image if prediction.image < len(images.file_names) else None
    else:
        position = images.position(prediction.image)
    if position is None:
        example = f", e.g. {images.file_names[0]}" if images.file_names else ""
        raise PredictionError(
            f"{place}: the annotations have no such image; they have {len(images.file_names)}{example}. Evaluate with "
            "the annotations of the split that was predicted, or take the entry out."
        )
    return position


def _record(images: EvaluationSet, position: int, sample: dict) -> Record:
    known = dict(img_id=position, img_path=images.file_names[position], gt_hois=images.truths[position])
    return images.metric.make_record({**known, **sample})


def _no_pairs(metainfo: Mapping) -> dict:
    boxes, labels = np.zeros((0, 4), np.float32), np.zeros(0, np.int64)
    scores = np.zeros((0, len(metainfo["verbs"])), np.float32)
    return dict(sub_bboxes=boxes, obj_bboxes=boxes, obj_labels=labels, verb_scores=scores)
