"""From a prediction file to one record per image, those without prediction included."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import track

from hqm_mmdet.datasets.problems import AnnotationError
from hqm_mmdet.utils.untrusted_values import MALFORMED

from ..errors import PredictionError
from ..metrics.records import Record
from .box_signs import BoxSigns
from .evaluation_set import EvaluationSet
from .file_prediction import FilePrediction
from .prediction_files import read_predictions


@dataclass(frozen=True, eq=False)
class FileRecords:
    """What a file says about I images.

    Args:
        records (tuple[Record, ...]): I records in the order of the images, as the metric takes them.
        missing (tuple[str, ...]): images that the file says nothing about; their records hold no prediction.
        warnings (tuple[str, ...]): what makes the numbers doubtful.
    """

    records: tuple[Record, ...]
    missing: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def read_records(path: str | Path, images: EvaluationSet, progress: bool = False) -> FileRecords:
    """Read a prediction file against annotations.

    Args:
        path (str | Path): see :func:`~.prediction_files.read_predictions`.
        images (EvaluationSet): annotations and metric.
        progress (bool): show a progress bar. Default: False.

    Returns:
        FileRecords: one record per image of ``images``; the order of the file does not matter.

    Raises:
        FileNotFoundError, CheckpointError: see :func:`~.prediction_files.read_predictions`.
        PredictionError: an entry is unfit, or names an image that is unknown or was named before; or the boxes look
            like another convention's, and ``images.reading`` is strict.
        AnnotationError: there is no image.
    """
    if not images.file_names:
        raise AnnotationError(f"{images.reader.ann_file}: no image; there is nothing to evaluate.")
    metric, entry_of, by_position = images.metric, {}, False
    signs = BoxSigns(images.reading)
    records: list[Record | None] = [None] * len(images.file_names)
    predictions = read_predictions(path, metric.dataset_meta)
    for prediction in track(predictions, f"reading {Path(path).name}", len(records), disable=not progress):
        place = f"{path}: entry {prediction.entry} ({prediction.image})"
        position = _position(prediction, images, place)
        if position in entry_of:
            raise PredictionError(f"{place}: the image was already in entry {entry_of[position]}. Take one out.")
        entry_of[position], by_position = prediction.entry, prediction.by_position
        try:
            records[position] = _record(images, position, _in_pixels(prediction, position, images, signs))
        # Arrays of other code bases can be unfit in ways that nobody checks by name.
        except MALFORMED as error:
            problem = f"no key {error}" if isinstance(error, KeyError) else str(error)
            raise PredictionError(f"{place}: {problem}") from error
    missing = [i for i, record in enumerate(records) if record is None]
    if by_position and missing:
        raise PredictionError(
            f"{path}: {len(entry_of)} entries for {len(records)} images. A list without file names must have "
            "one entry per image of the annotation file, in its order."
        )
    # Their ground truth counts as not found.
    for i in missing:
        records[i] = _record(images, i, dict(pred_pairs=_no_pairs(metric.dataset_meta)))
    doubt = signs.finding()
    if doubt and images.reading.strict:
        raise PredictionError(f"{path}: {doubt}. Say so if that is what the file has; strict evaluation refuses it.")
    return FileRecords(tuple(records), tuple(images.file_names[i] for i in missing), (doubt,) if doubt else ())


def _in_pixels(prediction: FilePrediction, position: int, images: EvaluationSet, signs: BoxSigns) -> dict:
    """The sample with boxes as metrics take them; as the file has them, they are counted in ``signs``."""
    truth = images.truths[position]
    signs.add(prediction.sample, None if truth is None else truth["boxes"])
    size = images.reading.size(images.file_names[position], prediction.size)
    return images.reading.sample(prediction.sample, size)


def _position(prediction: FilePrediction, images: EvaluationSet, place: str) -> int:
    if prediction.by_position:
        position = prediction.image if prediction.image < len(images.file_names) else None
    else:
        position = images.position(prediction.image)
    if position is None:
        example = images.file_names[0]
        raise PredictionError(
            f"{place}: the annotations have no such image; they have {len(images.file_names)}, e.g. {example}. "
            "Evaluate with the annotations of the split that was predicted, or take the entry out."
        )
    return position


def _record(images: EvaluationSet, position: int, sample: dict) -> Record:
    known = dict(img_id=position, img_path=images.file_names[position], gt_hois=images.truths[position])
    return images.metric.make_record({**known, **sample})


def _no_pairs(metainfo: Mapping) -> dict:
    boxes, labels = np.zeros((0, 4), np.float32), np.zeros(0, np.int64)
    scores = np.zeros((0, len(metainfo["verbs"])), np.float32)
    return dict(sub_bboxes=boxes, obj_bboxes=boxes, obj_labels=labels, verb_scores=scores)
