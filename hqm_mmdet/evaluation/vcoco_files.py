"""V-COCO's official annotation files: ``vcoco_*.json`` and COCO's instances."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from hqm_mmdet.datasets.annotations import read_annotations, read_json
from hqm_mmdet.datasets.conversion.v_coco import is_official_vcoco
from hqm_mmdet.datasets.problems import AnnotationError

from .errors import EvaluationError
from .functional import PersonTable, VCOCORoles, official_boxes
from .functional.vcoco.roles import check_roles

PERSON_CATEGORY = 1
HOW_TO_GET = (
    "vcoco_*.json comes from github.com/s-gupta/v-coco, instances_*.json with the COCO 2014 annotations (or is made by "
    "V-COCO's script_pick_annotations.py)."
)
KEYS = ("image_id", "ann_id", "role_object_id", "label", "action_name", "role_name")


@dataclass(frozen=True, eq=False)
class VCOCOGroundTruth:
    """Persons of a split.

    Args:
        image_ids (tuple[int, ...]): I COCO image ids, ascending.
        file_names (tuple[str, ...]): I names.
        persons (PersonTable): all COCO persons of these images; ``image`` is the position in ``image_ids``.
    """

    image_ids: tuple[int, ...]
    file_names: tuple[str, ...]
    persons: PersonTable

    def position(self, image: str | int) -> int:
        """Where an image, named by its file or its id, stands among ``image_ids``.

        Raises:
            EvaluationError: the split has no such image.
        """
        known = self._positions
        key = os.path.basename(image) if isinstance(image, str) else image
        if key not in known:
            raise EvaluationError(
                f"image {image!r} is not in the split, which has {len(self.image_ids)} images, e.g. "
                f"{self.file_names[0]!r}. Predictions and annotations must belong to the same split."
            )
        return known[key]

    @cached_property
    def _positions(self) -> dict[str | int, int]:
        names = {os.path.basename(name): i for i, name in enumerate(self.file_names)}
        return names | {image_id: i for i, image_id in enumerate(self.image_ids)}


def read_vcoco(ann_file: str, coco_file: str | Sequence[str], roles: VCOCORoles) -> VCOCOGroundTruth:
    """Ground truth as ``vsrl_eval.py`` builds it.

    Boxes are x2 = x + max(w - 1, 0), clipped to the last pixel; boxes without area are left out. Persons that V-COCO
    did not label take part as such (detections on them are dropped).

    Args:
        ann_file (str): ``vcoco_test.json`` or another split.
        coco_file (str | Sequence[str]): COCO instances with the images of the split; several files are joined.
        roles (VCOCORoles): names.

    Returns:
        VCOCOGroundTruth: images in ascending id.

    Raises:
        FileNotFoundError: A file is missing.
        AnnotationError: A file has another structure, or the two do not belong together.
    """
    actions = _read_actions(ann_file, roles)
    image_ids = np.unique(actions[0]["image_id"])
    images, annotations = _read_instances([coco_file] if isinstance(coco_file, (str, Path)) else coco_file)
    missing = [i for i in image_ids.tolist() if i not in images]
    if missing:
        raise AnnotationError(
            f"{coco_file}: {len(missing)} of the {len(image_ids)} images of {ann_file} are missing, first id "
            f"{missing[0]}. Give the instances file(s) of that split (coco_file). {HOW_TO_GET}"
        )
    rows, boxes = _clean_boxes(image_ids, images, annotations)
    persons = [i for i, row in enumerate(rows) if row["category_id"] == PERSON_CATEGORY]
    persons.sort(key=lambda i: rows[i]["image_id"])  # stable: in an image the order of the file decides ties
    image = np.searchsorted(image_ids, [rows[i]["image_id"] for i in persons]).astype(np.int64)
    row_of_id = {row["id"]: i for i, row in enumerate(rows)}
    person_of_id = {rows[i]["id"]: n for n, i in enumerate(persons)}
    labels = _Labels(len(persons), roles, ann_file)
    for entry in actions:
        labels.add(entry, person_of_id, row_of_id, boxes)
    table = PersonTable(image, boxes[persons], labels.labelled, labels.does, labels.role_boxes)
    return VCOCOGroundTruth(tuple(image_ids.tolist()), tuple(images[i]["file_name"] for i in image_ids.tolist()), table)


def _read_actions(ann_file: str, roles: VCOCORoles) -> list[dict]:
    entries = read_annotations(ann_file, HOW_TO_GET)
    if not is_official_vcoco(entries):
        raise AnnotationError(f"{ann_file}: no official V-COCO label file (entries with action_name). {HOW_TO_GET}")
    for n, entry in enumerate(entries):
        absent = [key for key in KEYS if key not in entry]
        if absent or len(entry["role_object_id"]) != len(entry["ann_id"]) * len(entry["role_name"]):
            problem = f"no key {absent}" if absent else "role_object_id is not persons x roles"
            raise AnnotationError(f"{ann_file}: entry {n}: {problem}. Copy the file again. {HOW_TO_GET}")
    try:
        check_roles(roles, [entry["action_name"] for entry in entries], str(ann_file))
    except ValueError as error:
        raise AnnotationError(f"{error} Use V-COCO's 29 verbs, e.g. 'cut_instr'.") from error
    return entries


def _read_instances(files: Sequence[str]) -> tuple[dict, list]:
    images, annotations = {}, []
    for file in files:
        content = read_json(file, HOW_TO_GET)
        if not isinstance(content, dict) or "images" not in content or "annotations" not in content:
            raise AnnotationError(f"{file}: no COCO instances file ('images', 'annotations'). {HOW_TO_GET}")
        images |= {image["id"]: image for image in content["images"]}
        annotations += content["annotations"]
    return images, annotations


def _clean_boxes(image_ids: np.ndarray, images: dict, annotations: list) -> tuple[list[dict], np.ndarray]:
    """Usable annotations of the images, in the order of the file, and their (N, 4) float32 boxes."""
    wanted = set(image_ids.tolist())
    rows = [a for a in annotations if a["image_id"] in wanted and not a.get("ignore")]
    size = np.array([[images[a["image_id"]][k] for k in ("width", "height")] * 2 for a in rows]).reshape(-1, 4)
    boxes = np.clip(official_boxes(np.array([a["bbox"] for a in rows]), None), 0, size - 1)
    # The annotated area, as in the official script; it differs from the box's.
    area = np.array([a.get("area", 1) for a in rows])
    keep = np.flatnonzero((area > 0) & (boxes[:, 2:] > boxes[:, :2]).all(axis=1))
    return [rows[i] for i in keep], boxes[keep].astype(np.float32)


class _Labels:
    """What each of M persons does, filled action by action."""

    def __init__(self, num_persons: int, roles: VCOCORoles, ann_file: str):
        self.roles, self.ann_file = roles, ann_file
        self.labelled = np.zeros(num_persons, dtype=bool)
        self.does = np.zeros((num_persons, len(roles.actions)), dtype=bool)
        self.role_boxes = np.full((num_persons, len(roles.roles), 4), np.nan, dtype=np.float32)

    def add(self, entry: dict, person_of_id: dict, row_of_id: dict, boxes: np.ndarray) -> None:
        """One action of the label file; persons whose COCO box has no area are passed over."""
        action = self.roles.actions.index(entry["action_name"])
        objects = np.array(entry["role_object_id"], dtype=np.int64).reshape(len(entry["role_name"]), -1).T
        for ann_id, label, ids in zip(entry["ann_id"], entry["label"], objects.tolist(), strict=True):
            person = person_of_id.get(ann_id)
            if person is None:
                continue
            self.labelled[person] = True
            self.does[person, action] |= label == 1
            for name, object_id in zip(entry["role_name"][1:], ids[1:], strict=True):
                # 0: no object is annotated.
                if label == 1 and object_id:
                    role = self.roles.roles.index(f"{entry['action_name']}_{name}")
                    self.role_boxes[person, role] = boxes[self._row(object_id, ann_id, entry, row_of_id)]

    def _row(self, object_id: int, ann_id: int, entry: dict, row_of_id: dict) -> int:
        if object_id not in row_of_id:
            raise AnnotationError(
                f"{self.ann_file}: action {entry['action_name']!r}, person {ann_id}: the object annotation {object_id} "
                f"is not in the COCO file, or has no area. Give the instances file(s) of that split. {HOW_TO_GET}"
            )
        return row_of_id[object_id]
