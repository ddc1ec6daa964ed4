"""From a prediction file to one record per image, those without prediction included."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import track

from hqm_mmdet.datasets.problems import AnnotationError
from hqm_mmdet.utils.untrusted_values import MALFORMED

from ..errors import PredictionError
from ..metrics.interactiveness_metric import InteractivenessMetric, InteractivenessRecord
from ..metrics.records import Record
from .box_signs import BoxSigns
from .evaluation_set import EvaluationSet
from .file_prediction import FilePrediction
from .id_signs import IdSigns
from .prediction_files import read_predictions


@dataclass(frozen=True, eq=False)
class FileRecords:
    """What a file says about I images.

    Args:
        records (tuple[Record, ...]): I records in the order of the images, as the metric takes them.
        missing (tuple[str, ...]): images that the file says nothing about; their records hold no prediction.
        warnings (tuple[str, ...]): what makes the numbers doubtful.
        unknown (tuple[str | int, ...]): images that the annotations do not have, left out because that was asked for.
        interactiveness (tuple[InteractivenessRecord, ...]): of the images whose pairs the file says that they interact
            or do not; none where the ground truth is the metric's own (official V-COCO).
    """

    records: tuple[Record, ...]
    missing: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    unknown: tuple[str | int, ...] = ()
    interactiveness: tuple[InteractivenessRecord, ...] = ()


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
        PredictionError: an entry is unfit, or names an image that is unknown (unless ``images.skip_unknown``) or was
            named before; or the boxes look like another convention's, and ``images.reading`` is strict.
        AnnotationError: there is no image.
    """
    if not images.file_names:
        raise AnnotationError(f"{images.reader.ann_file}: no image; there is nothing to evaluate.")
    metric, entry_of, by_position = images.metric, {}, False
    signs = BoxSigns(images.reading)
    ids, unknown = IdSigns(metric.dataset_meta), []
    records: list[Record | None] = [None] * len(images.file_names)
    interactiveness = []
    predictions = read_predictions(path, metric.dataset_meta)
    for prediction in track(predictions, f"reading {Path(path).name}", len(records), disable=not progress):
        place = f"{path}: entry {prediction.entry} ({prediction.image})"
        position = _position(prediction, images, place)
        if position is None:
            unknown.append(prediction.image)
            continue
        if position in entry_of:
            raise PredictionError(f"{place}: the image was already in entry {entry_of[position]}. Take one out.")
        entry_of[position], by_position = prediction.entry, prediction.by_position
        try:
            sample = _in_pixels(prediction, position, images, signs)
            records[position] = _record(images, position, sample)
            interactiveness += _interactiveness(images, position, sample)
        # Arrays of other code bases can be unfit in ways that nobody checks by name.
        except MALFORMED as error:
            problem = f"no key {error}" if isinstance(error, KeyError) else str(error)
            raise PredictionError(f"{place}: {problem}") from error
        ids.add(prediction.sample)
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
    silent = tuple(images.file_names[i] for i in missing)
    warnings = (*((doubt,) if doubt else ()), *ids.findings())
    return FileRecords(tuple(records), silent, warnings, tuple(unknown), tuple(interactiveness))


def _in_pixels(prediction: FilePrediction, position: int, images: EvaluationSet, signs: BoxSigns) -> dict:
    """The sample with boxes as metrics take them; as the file has them, they are counted in ``signs``."""
    truth = images.truths[position]
    signs.add(prediction.sample, None if truth is None else truth["boxes"])
    size = images.reading.size(images.file_names[position], prediction.size)
    return images.reading.sample(prediction.sample, size)


def _position(prediction: FilePrediction, images: EvaluationSet, place: str) -> int | None:
    """None: an image that the annotations do not have, which may be."""
    if prediction.by_position:
        position = prediction.image if prediction.image < len(images.file_names) else None
    else:
        position = images.position(prediction.image)
    if position is None and not images.skip_unknown:
        example = images.file_names[0]
        raise PredictionError(
            f"{place}: the annotations have no such image; they have {len(images.file_names)}, e.g. {example}. "
            "Evaluate with the annotations of the split that was predicted, or leave such images out with "
            "--skip-unknown (of HICO-DET's 9,658 test images, 112 have no pair and are not in the annotations)."
        )
    return position


def _record(images: EvaluationSet, position: int, sample: dict) -> Record:
    known = dict(img_id=position, img_path=images.file_names[position], gt_hois=images.truths[position])
    return images.metric.make_record({**known, **sample})


def _interactiveness(images: EvaluationSet, position: int, sample: dict) -> list[InteractivenessRecord]:
    """One record, or none if the file or the truth has nothing to say about it."""
    if images.truths[position] is None or "interactiveness" not in sample.get("pred_pairs", ()):
        return []
    known = dict(img_id=position, img_path=images.file_names[position], gt_hois=images.truths[position])
    return [InteractivenessMetric().make_record({**known, **sample})]


def _no_pairs(metainfo: Mapping) -> dict:
    boxes, labels = np.zeros((0, 4), np.float32), np.zeros(0, np.int64)
    scores = np.zeros((0, len(metainfo["verbs"])), np.float32)
    return dict(sub_bboxes=boxes, obj_bboxes=boxes, obj_labels=labels, verb_scores=scores)
