"""Small HOI data sets on disk, and images whose boxes are painted."""

import gzip
import json
from functools import cache
from pathlib import Path

import numpy as np
from mmengine.registry import DefaultScope
from PIL import Image

from hqm_mmdet.datasets import HOIADataset
from hqm_mmdet.registry import DATASETS

CLASSES, CATEGORY_IDS = ("person", "ball", "cup"), (1, 7, 90)
VERBS, VERB_IDS = ("hold", "kick", "wave", "throw"), (1, 2, 3, 4)
METAINFO = dict(classes=CLASSES, category_ids=CATEGORY_IDS, verbs=VERBS, verb_ids=VERB_IDS)

PIPELINE = [dict(type="LoadHOIImage"), dict(type="LoadHOIAnnotations"), dict(type="PackHOIInputs")]
BOXES = [(10, 10, 40, 60, 1), (50, 20, 70, 40, 7), (1, 2, 30, 40, 90)]  # x1, y1, x2, y2, category id


def build(type="HOIDataset", **arguments):
    """A data set from its configuration, as the runner builds it."""
    with DefaultScope.overwrite_default_scope("hqm_mmdet"):
        return DATASETS.build(dict(type=type, **arguments))


def entry(name="a.jpg", boxes=None, hois=((0, 1, 1),)):
    """An entry of an annotation file: boxes (x1, y1, x2, y2, category id), hois (subject, object, verb id)."""
    boxes = boxes or [(10, 10, 40, 60, 1), (50, 20, 70, 40, 7)]
    return dict(
        file_name=name,
        annotations=[dict(bbox=list(box[:4]), category_id=box[4]) for box in boxes],
        hoi_annotation=[dict(subject_id=s, object_id=o, category_id=v) for s, o, v in hois],
    )


def write_image(path: Path, size=(96, 80), seed=0) -> Path:
    """A noisy RGB image, ``size`` = (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def write_dataset(root: Path, entries, name="train.json", folder="images") -> dict:
    """Files of a data set; returns the arguments that an HOIDataset needs for it."""
    root.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(json.dumps(entries))
    for i, item in enumerate(entries):
        write_image(root / folder / item["file_name"], seed=i)
    return dict(ann_file=name, data_root=str(root), data_prefix=dict(img=folder), metainfo=METAINFO)


def image_path(arguments: dict, name: str) -> Path:
    """Where :func:`write_dataset` put an image."""
    return Path(arguments["data_root"]) / arguments["data_prefix"]["img"] / name


@cache
def read_compressed(path: Path):
    """Content of a ``.json.gz`` file, read once."""
    return json.loads(gzip.decompress(path.read_bytes()))


def write_hico_layout(root: Path, data_dir: Path, num_images=2) -> Path:
    """The official HICO-DET folders with the first real annotations and grey images of the right names and sizes."""
    sizes = read_compressed(data_dir / "hico_det/image_sizes.json.gz")
    (root / "annotations").mkdir(parents=True)
    (root / "annotations/corre_hico.npy").write_bytes((data_dir / "hico_det/corre_hico.npy").read_bytes())
    for split, folder in (("trainval", "train2015"), ("test", "test2015")):
        entries = read_compressed(data_dir / f"hico_det/{split}_hico.json.gz")[:num_images]
        (root / "annotations" / f"{split}_hico.json").write_text(json.dumps(entries))
        (root / "images" / folder).mkdir(parents=True)
        for item in entries:
            size = tuple(sizes[folder][item["file_name"]])
            Image.new("RGB", size, (120, 130, 140)).save(root / "images" / folder / item["file_name"])
    return root


def write_hoi_a_layout(root: Path) -> Path:
    """The folders of HOI-A, an image per verb, object ids as strings."""
    table = HOIADataset.METAINFO
    pairs = [(verb + 1, int(HOIADataset.VALID_PAIRS[verb].argmax()) + 1) for verb in range(len(table["verbs"]))]
    (root / "annotations").mkdir(parents=True)
    for name, folder in (("train", "trainval"), ("test", "test")):
        entries = []
        for verb, category in pairs:
            boxes = [(10, 10, 40, 60, "1"), (50, 20, 70, 40, str(category))]
            entries.append(entry(f"{name}_{verb:06d}.png", boxes, [(0, 1, verb)]))
            write_image(root / "images" / folder / entries[-1]["file_name"], seed=verb)
        (root / f"annotations/{name}_2019.json").write_text(json.dumps(entries))
    return root


def write_own_layout(root: Path, num_images=4) -> Path:
    """A data set of one's own as in docs/own_data.md: two classes, two verbs."""
    boxes = [(10, 10, 40, 60, 1), (50, 20, 70, 40, 2)]
    for name in ("train", "test"):
        entries = [entry(f"{name}_{i}.png", boxes, [(0, 1, 1 + i % 2)]) for i in range(num_images)]
        write_dataset(root, entries, f"{name}.json")
    (root / "names.json").write_text(json.dumps(dict(classes=["person", "cup"], verbs=["hold", "drink_from"])))
    return root


PAINTED_SIZE = (480, 640)  # height, width
PAINTED_BOXES = [  # x1, y1, x2, y2: no two touch
    (20, 30, 200, 260),
    (230, 20, 420, 140),
    (450, 40, 620, 230),
    (40, 300, 180, 460),
    (220, 180, 400, 450),
    (430, 270, 600, 440),
]
COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 0, 255), (0, 255, 255)]  # BGR
PAINTED_PAIRS = [(0, 1, [0]), (2, 3, [1, 6]), (4, 5, [2]), (4, -1, [3]), (0, 4, [4, 5])]  # box -1: no object


def painted_results() -> dict:
    """Input of a pipeline, after image loading: box i is filled with ``COLOURS[i]``, each pair has verbs of its own."""
    image = np.zeros((*PAINTED_SIZE, 3), dtype=np.uint8)
    for (x1, y1, x2, y2), colour in zip(PAINTED_BOXES, COLOURS, strict=True):
        image[y1:y2, x1:x2] = colour
    return dict(
        img=image,
        img_shape=PAINTED_SIZE,
        ori_shape=PAINTED_SIZE,
        img_path="painted.png",
        img_id=0,
        instances=[dict(bbox=list(box), bbox_label=i, ignore_flag=0) for i, box in enumerate(PAINTED_BOXES)],
        pairs=PAINTED_PAIRS,
        num_classes=len(PAINTED_BOXES),
        num_verbs=7,
        strict=True,
    )
