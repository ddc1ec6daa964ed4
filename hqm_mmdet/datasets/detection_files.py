"""Boxes of a detector, out of a file: COCO's result JSON, or a pickle of mmengine's and mmdet's result dumps."""

import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mmengine.logging import print_log

from hqm_mmdet.errors import UserError
from hqm_mmdet.structures import match_class_names
from hqm_mmdet.utils.plain_pickle import load_plain_pickle
from hqm_mmdet.utils.untrusted_values import MALFORMED, parse_json, require_numbers

FORMATS = (
    "COCO's result JSON (a list of {image_id, category_id, bbox: [x, y, width, height], score}) or a pickle of "
    "DumpDetResults or DumpResults (a list of {img_path or img_id, pred_instances: {bboxes, labels, scores}})"
)


class DetectionError(UserError, ValueError):
    """A detection file that can't be used; the message names file, entry and remedy."""


@dataclass(frozen=True, eq=False)
class Detections:
    """Boxes of an image.

    Args:
        boxes (ndarray): (N, 4) float32 x1, y1, x2, y2 in pixels of the original image.
        labels (ndarray): (N,) int64, object labels of the data set.
        scores (ndarray): (N,) float32.
    """

    boxes: np.ndarray
    labels: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.boxes)


@dataclass(frozen=True)
class ClassMap:
    """How a detector's classes become the data set's labels.

    Args:
        category_ids (Sequence): of the data set's object classes in label order, for files that name categories by id.
        labels (Sequence[int], optional): data set label of each detector label, -1 for none. Default None: they agree.
    """

    category_ids: Sequence
    labels: Sequence[int] | None = None

    @classmethod
    def by_name(cls, category_ids: Sequence, classes: Sequence[str], detector_classes: Sequence[str]) -> "ClassMap":
        """Map names, see :func:`~hqm_mmdet.structures.match_class_names`."""
        return cls(category_ids, match_class_names(classes, detector_classes))


def read_detections(
    path: str | Path, file_names: Sequence[str], class_map: ClassMap
) -> tuple[list[Detections], tuple[str, ...]]:
    """Detections of a data set's images.

    Images are matched by file name, with or without folder and ending, or by id: the number at the end of the name
    (COCO_val2014_000000000042.jpg is 42). Detections of other images, and of classes that the data set does not have,
    are left out; a warning counts and names the former.

    Args:
        path (str | Path): ``.json``, ``.pkl`` or ``.pickle``; pickles are read without running code.
        file_names (Sequence[str]): of I images.
        class_map (ClassMap): see there.

    Returns:
        tuple[list[Detections], tuple[str, ...]]: I items; the images about which the file says nothing, whose items are
        empty.

    Raises:
        FileNotFoundError: no such file.
        CheckpointError: a pickle that is damaged or wants to run code.
        DetectionError: another structure, an entry that can't be right, or no image or no class of the data set at all.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"Detection file {path} does not exist; tools/detect.py makes one.")
    read = _read_json if path.suffix == ".json" else _read_pickle
    find = ImageIndex(file_names)
    rows, unknown, found = defaultdict(list), [], 0
    for image, boxes, labels, scores in read(path, class_map):
        position, known = find(image), labels >= 0
        if position is None:
            unknown.append(image)
            continue
        found += len(boxes)
        rows[position].append((boxes[known], labels[known], scores[known]))
    _check_images(path, unknown, bool(rows), file_names)
    detections = [_joined(rows.get(i, ())) for i in range(len(file_names))]
    if found and not any(map(len, detections)):
        raise DetectionError(
            f"{path}: none of its {found} boxes is of a class of the data set, whose category ids are "
            f"{', '.join(map(str, class_map.category_ids))}. Write the file with `hqm-mmdet detect --dataset ...`, or "
            "set dataset.detector_classes for a pickle."
        )
    return detections, tuple(name for i, name in enumerate(file_names) if i not in rows)


def _check_images(path: Path, unknown: Sequence, any_known: bool, file_names: Sequence[str]) -> None:
    """Refuse a file about other images, and warn of entries about some."""
    if not any_known:
        raise DetectionError(
            f"{path}: none of its {len(unknown)} entries belongs to one of the {len(file_names)} images of the data "
            f"set, e.g. {file_names[0] if file_names else 'none'}. Detect objects in the images of this split."
        )
    if unknown:
        print_log(
            f"{path}: {len(unknown)} entries are about images that the data set does not have, and are left out, e.g. "
            f"{unknown[0]!r}. Detect objects in the images of this split.",
            logger="current",
            level=logging.WARNING,
        )


class ImageIndex:
    """Finds an image by its name, folder and ending aside, or by the number at the end of its name.

    Args:
        file_names (Sequence[str]): of the images.
    """

    def __init__(self, file_names: Sequence[str]):
        self._by_name = {Path(name).stem: i for i, name in enumerate(file_names)}
        numbers = defaultdict(list)
        for i, name in enumerate(file_names):
            if found := re.search(r"(\d+)$", Path(name).stem):
                numbers[int(found[1])].append(i)
        self._by_number = {number: found[0] for number, found in numbers.items() if len(found) == 1}

    def __call__(self, image: str | int) -> int | None:
        """Position of an image, None if it is unknown."""
        if isinstance(image, str):
            return self._by_name.get(Path(image).stem)
        return self._by_number.get(image)


def _joined(parts: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Detections:
    empty = (np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, np.float32))
    return Detections(*(np.concatenate(columns) for columns in zip(empty, *parts, strict=True)))


def _read_json(path: Path, class_map: ClassMap) -> Iterator[tuple]:
    try:
        content = parse_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DetectionError(f"{path}: no JSON ({error}). Expected {FORMATS}.") from error
    if not isinstance(content, list):
        raise DetectionError(f"{path}: holds a {type(content).__name__}. Expected {FORMATS}.")
    labels = {str(category): label for label, category in enumerate(class_map.category_ids)}
    for n, entry in enumerate(content):
        try:
            require_numbers([entry["bbox"], entry["score"]], "bbox or score")
            x, y, width, height = map(float, entry["bbox"])
            score, label = float(entry["score"]), labels.get(str(entry["category_id"]), -1)
            image = entry["image_id"]
        except MALFORMED as error:
            raise DetectionError(f"{path}: entry {n} = {str(entry)[:100]}: {error!r}. Expected {FORMATS}.") from error
        columns = ([[x, y, x + width, y + height]], [label], [score])
        yield image, *_checked(path, n, *columns)


def _read_pickle(path: Path, class_map: ClassMap) -> Iterator[tuple]:
    content = load_plain_pickle(path, tensors=True)
    if not isinstance(content, list):
        raise DetectionError(f"{path}: holds a {type(content).__name__}. Expected {FORMATS}.")
    table = None if class_map.labels is None else np.array([*class_map.labels, -1])
    for n, entry in enumerate(content):
        try:
            found = entry["pred_instances"]
            boxes, labels, scores = (np.asarray(found[name]) for name in ("bboxes", "labels", "scores"))
            image = entry.get("img_path", entry.get("img_id"))
            labels = labels.astype(np.int64)
            if table is not None:
                labels = table[np.minimum(labels, len(table) - 1)]
            columns = boxes, np.where(labels < len(class_map.category_ids), labels, -1), scores
        except MALFORMED as error:
            raise DetectionError(f"{path}: entry {n}: {error!r}. Expected {FORMATS}.") from error
        yield image, *_checked(path, n, *columns)


def _checked(path: Path, entry: int, boxes, labels, scores) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns of an entry; label -1 is a class that the data set does not have."""
    try:
        boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
        labels, scores = np.asarray(labels, np.int64), np.asarray(scores, np.float32)
    except MALFORMED as error:
        raise DetectionError(f"{path}: entry {entry}: {error}. Expected {FORMATS}.") from error
    if not len(boxes) == len(labels) == len(scores):
        counts = f"{len(boxes)} boxes, {len(labels)} labels and {len(scores)} scores"
        raise DetectionError(f"{path}: entry {entry} has {counts}. Correct the entry, or detect again.")
    if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
        raise DetectionError(f"{path}: entry {entry} has a box or a score that is not finite. Correct or remove it.")
    return boxes, labels, scores
