"""How often classes occur in the training annotations."""

import os.path as osp
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hqm_mmdet.datasets import HOIDataset
from hqm_mmdet.datasets.annotations import (
    NO_OBJECT,
    ImageAnnotations,
    find_annotations,
    no_garbage_collection,
    read_annotations,
)
from hqm_mmdet.datasets.conversion.v_coco import is_official_vcoco, verbs_of_action
from hqm_mmdet.datasets.problems import ProblemReport

from ..offline import EvaluationSet

OFFICIAL_VCOCO = "vcoco_trainval.json"


@dataclass(frozen=True, eq=False)
class TrainingCounts:
    """HOI instances of training annotations, as annotated (repetitions count).

    Args:
        table (ndarray): (V, C + 1) int by verb and object label; the last column counts HOIs without object.
    """

    table: np.ndarray

    def of(self, verb: int, label: int) -> int:
        """Instances of a triplet class; of all objects with ``label`` -1."""
        return int(self.table[verb].sum() if label < 0 else self.table[verb, label])


def count_training(images: EvaluationSet) -> TrainingCounts | None:
    """Count in the training annotations: those that ``images`` was loaded with, else the file beside the annotations.

    Of V-COCO, a person who does an action counts once per role, with or without object, as in its evaluation.

    Args:
        images (EvaluationSet): Names its files.

    Returns:
        TrainingCounts | None: None where no file was given and none lies beside the annotations.

    Raises:
        FileNotFoundError, AnnotationError: A given file is missing; a file is unfit.
    """
    reader = images.reader
    path = _training_file(reader, images.dataset == "vcoco")
    if path is None:
        return None
    entries = read_annotations(path, reader.HOW_TO_GET)
    metainfo = images.metric.dataset_meta
    shape = len(metainfo["verbs"]), len(metainfo["classes"]) + 1
    if is_official_vcoco(entries):
        return TrainingCounts(_count_official(entries, metainfo["verbs"], shape))
    parser = reader.make_parser(ProblemReport(path), training=True)  # defects are reported where it is trained on
    with no_garbage_collection():
        parsed = [parser.read(*item) for item in enumerate(entries)]
    return TrainingCounts(_count([image for image in parsed if image is not None], shape))


def how_to_get_counts(images: EvaluationSet) -> str:
    """What to do where :func:`count_training` finds nothing."""
    beside = images.reader.training_file()
    place = f", or put them beside the test annotations as {osp.basename(beside)}" if beside else ""
    return f"Training counts are not at hand: give the training annotations (--train-ann-file FILE){place}."


def _training_file(reader: HOIDataset, vcoco: bool) -> str | None:
    path = reader.training_file()
    if reader.vocabulary_ann_file or path is None:
        return path
    official = osp.join(osp.dirname(reader.ann_file), OFFICIAL_VCOCO)
    found = [each for each in (path, official if vcoco else path) if find_annotations(each)]
    return found[0] if found else None


def _count(images: Sequence[ImageAnnotations], shape: tuple[int, int]) -> np.ndarray:
    num_verbs, num_labels = shape
    cells = [
        (verb, num_labels - 1 if obj == NO_OBJECT else image.labels[obj])
        for image in images
        for _, obj, verb in image.hois
    ]
    verbs, labels = np.array(cells, np.int64).reshape(-1, 2).T
    return np.bincount(verbs * num_labels + labels, minlength=num_verbs * num_labels).reshape(shape)


def _count_official(entries: Sequence[dict], verbs: Sequence[str], shape: tuple[int, int]) -> np.ndarray:
    """The label file alone does not name objects: all in the last column."""
    table = np.zeros(shape, np.int64)
    for action in entries:
        for name in verbs_of_action(action):
            table[verbs.index(name), -1] = sum(label == 1 for label in action["label"])
    return table
