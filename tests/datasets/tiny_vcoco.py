"""V-COCO's official format in small: one image, a person on a bicycle."""

import json
from pathlib import Path

from hqm_mmdet.datasets import VCOCODataset

PERSON, BICYCLE, IMAGE = 101, 102, 7
BOXES = {PERSON: ([10, 10, 30, 50], 1), BICYCLE: ([20, 40, 30, 30], 2)}  # x, y, w, h and category
DONE = {"sit": BICYCLE, "ride": BICYCLE, "look": 0, "run": None}  # action: object (0: none annotated)


def _actions() -> list[dict]:
    """The 26 actions with their roles, in the official order."""
    roles: dict[str, list[str]] = {}
    for verb in VCOCODataset.METAINFO["verbs"]:
        action, _, role = verb.rpartition("_") if verb.endswith(("_obj", "_instr")) else (verb, "", "")
        roles.setdefault(action, ["agent"]).extend([role] if role else [])
    return [
        dict(
            action_name=action,
            role_name=names,
            include=[[] for _ in names],
            image_id=[IMAGE],
            ann_id=[PERSON],
            label=[int(action in DONE)],
            role_object_id=[PERSON] + [DONE.get(action) or 0] * (len(names) - 1),
        )
        for action, names in roles.items()
    ]


LABELS = _actions()


def labels() -> list[dict]:
    """Content of ``vcoco_*.json``."""
    return json.loads(json.dumps(LABELS))


def instances() -> dict:
    """Content of a COCO instances file."""
    boxes = [
        dict(id=i, image_id=IMAGE, bbox=box, category_id=category, area=box[2] * box[3], iscrowd=0)
        for i, (box, category) in BOXES.items()
    ]
    image = dict(id=IMAGE, file_name=f"COCO_train2014_{IMAGE:012d}.jpg", width=96, height=80)
    return dict(images=[image], annotations=boxes, categories=[dict(id=1, name="person"), dict(id=2, name="bicycle")])


def write_vcoco(folder: Path) -> None:
    """``vcoco_tiny.json`` and ``instances.json``."""
    (folder / "vcoco_tiny.json").write_text(json.dumps(labels()))
    (folder / "instances.json").write_text(json.dumps(instances()))
