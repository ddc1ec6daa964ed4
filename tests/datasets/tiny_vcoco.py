"""V-COCO's official format in small: on each image a person on a bicycle, who looks at nothing and runs."""

import json
from collections.abc import Sequence
from pathlib import Path

from hqm_mmdet.datasets import VCOCODataset
from hqm_mmdet.datasets.conversion import vcoco_entries
from tests.datasets.tiny_hoi import write_image

PERSON, BICYCLE = 1, 2  # in the order of an image's annotations, ids 701, 702 for image 7
BOXES = {PERSON: ([10, 10, 30, 50], 1), BICYCLE: ([20, 40, 30, 30], 2)}  # x, y, w, h and category
DONE = {"sit": BICYCLE, "ride": BICYCLE, "look": 0, "run": 0}  # action: object (0: none annotated)


def labels(images: Sequence[int] = (7,)) -> list[dict]:
    """Content of ``vcoco_*.json``: the 26 actions with their roles, in the official order."""
    roles: dict[str, list[str]] = {}
    for verb in VCOCODataset.METAINFO["verbs"]:
        action, _, role = verb.rpartition("_") if verb.endswith(("_obj", "_instr")) else (verb, "", "")
        roles.setdefault(action, ["agent"]).extend([role] if role else [])
    return [_action(name, names, images) for name, names in roles.items()]


def _action(name: str, roles: list[str], images: Sequence[int]) -> dict:
    people = [100 * image + PERSON for image in images]
    things = [100 * image + DONE[name] if DONE.get(name) else 0 for image in images]
    return dict(
        action_name=name,
        role_name=roles,
        include=[[] for _ in roles],
        image_id=list(images),
        ann_id=people,
        label=[int(name in DONE)] * len(images),
        role_object_id=people + things * (len(roles) - 1),
    )


def image_name(image: int, split: str = "train2014") -> str:
    """COCO's file name."""
    return f"COCO_{split}_{image:012d}.jpg"


def instances(images: Sequence[int] = (7,), split: str = "train2014") -> dict:
    """Content of a COCO instances file."""
    boxes = [
        dict(id=100 * image + i, image_id=image, bbox=box, category_id=category, area=box[2] * box[3], iscrowd=0)
        for image in images
        for i, (box, category) in BOXES.items()
    ]
    files = [dict(id=image, file_name=image_name(image, split), width=96, height=80) for image in images]
    return dict(images=files, annotations=boxes, categories=[dict(id=1, name="person"), dict(id=2, name="bicycle")])


def write_vcoco(folder: Path) -> None:
    """``vcoco_tiny.json`` and ``instances.json``."""
    (folder / "vcoco_tiny.json").write_text(json.dumps(labels()))
    (folder / "instances.json").write_text(json.dumps(instances()))


def write_vcoco_layout(root: Path, images: Sequence[int] = (7, 9)) -> Path:
    """QPIC's folders, with the same images for training and test."""
    (root / "annotations").mkdir(parents=True)
    (root / "data/vcoco").mkdir(parents=True)
    for name, split in (("trainval", "train2014"), ("test", "val2014")):
        actions, coco = labels(images), instances(images, split)
        entries = vcoco_entries(actions, coco, VCOCODataset.METAINFO["verbs"])
        (root / f"annotations/{name}_vcoco.json").write_text(json.dumps(entries))
        (root / f"data/vcoco/vcoco_{name}.json").write_text(json.dumps(actions))
        (root / "data/instances_vcoco_all_2014.json").write_text(json.dumps(coco))  # those of the test stay
        for image in images:
            write_image(root / "images" / split / image_name(image, split), seed=image)
    return root
