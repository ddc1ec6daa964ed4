"""How often classes occur in the training annotations."""

import os.path as osp
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hqm_mmdet.datasets import HOIDataset
from hqm_mmdet.datasets.annotations import find_annotations, no_garbage_collection, read_annotations
from hqm_mmdet.datasets.class_tables import count_hois
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
        images (EvaluationSet): names its files.

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
    verbs, num_classes = images.metric.dataset_meta["verbs"], len(images.metric.dataset_meta["classes"])
    if is_official_vcoco(entries):
        return TrainingCounts(_count_official(entries, verbs, num_classes))
    parser = reader.make_parser(ProblemReport(path), training=True)  # defects are reported where it is trained on
    with no_garbage_collection():
        parsed = parser.read_all(reader.relevant(entries))
    return TrainingCounts(count_hois(parsed, len(verbs), num_classes))


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


def _count_official(entries: Sequence[dict], verbs: Sequence[str], num_classes: int) -> np.ndarray:
    """The label file alone does not name objects: all in the last column."""
    table = np.zeros((len(verbs), num_classes + 1), np.int64)
    for action in entries:
        for name in verbs_of_action(action):
            table[verbs.index(name), -1] = sum(label == 1 for label in action["label"])
    return table
