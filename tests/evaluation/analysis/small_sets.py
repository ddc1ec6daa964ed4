"""Small random splits of every data set as files, with predictions near the annotated boxes."""

import json
from pathlib import Path

import numpy as np

from hqm_mmdet.evaluation.offline import EvaluationSet, load_evaluation_set, prediction_entry
from tests.evaluation.test_vcoco import random_case
from tests.evaluation.vcoco_cases import official_files

NUM_IMAGES, NUM_PAIRS = 12, 10
OWN = dict(classes=["person", "cup", "dog"], verbs=["hold", "wave", "pet"])
DATASETS = ("hico", "vcoco", "hoia", "toy", "own")


def write(path: Path, content) -> str:
    """A JSON file."""
    path.write_text(json.dumps(content))
    return str(path)


def random_entries(rng, info, name, num_images=NUM_IMAGES):
    """Annotations: two persons and three objects per image; no person has a verb twice; the last image has no HOI."""
    labels_of = np.flatnonzero(info["valid_pairs"].any(axis=0))[:4]
    entries = []
    for i in range(num_images):
        labels = [info.get("subject_label", 0)] * 2 + rng.choice(labels_of, 3).tolist()
        corner = rng.uniform(0, 150, (5, 2))
        boxes = np.concatenate([corner, corner + rng.uniform(30, 120, (5, 2))], axis=1).round(1)
        hois = {}
        for subject in rng.integers(0, 2, 4 if i < num_images - 1 else 0).tolist():
            obj = int(rng.integers(2, 5))
            verb = int(rng.choice(np.flatnonzero(info["valid_pairs"][:, labels[obj]])[:3]))
            hois[subject, verb] = obj
        entries.append(
            dict(
                file_name=f"{name}_{i:03d}.jpg",
                annotations=[
                    dict(bbox=box, category_id=info["category_ids"][label])
                    for box, label in zip(boxes.tolist(), labels, strict=True)
                ],
                hoi_annotation=[
                    dict(subject_id=s, object_id=o, category_id=info["verb_ids"][v]) for (s, v), o in hois.items()
                ],
            )
        )
    return entries


def random_predictions(rng, entries, info):
    """Entries of a prediction file: pairs of noisy boxes, labelled verbs mostly ahead; no two scores are equal."""
    found = []
    for entry in entries:
        boxes = np.array([a["bbox"] for a in entry["annotations"]])
        labels = np.array([info["category_ids"].index(a["category_id"]) for a in entry["annotations"]])
        sub, obj = rng.integers(0, 2, NUM_PAIRS), rng.integers(2, 5, NUM_PAIRS)
        for p, hoi in enumerate(entry["hoi_annotation"]):
            sub[p], obj[p] = hoi["subject_id"], hoi["object_id"]
        scores = rng.random((NUM_PAIRS, len(info["verbs"]))) ** 3
        for p, hoi in enumerate(entry["hoi_annotation"]):
            scores[p, list(info["verb_ids"]).index(hoi["category_id"])] += rng.random() * (rng.random() < 0.7)
        noise = rng.normal(0, 7, (2, NUM_PAIRS, 4))
        predicted = np.where(rng.random(NUM_PAIRS) < 0.15, len(info["classes"]) - 1, labels[obj])
        pairs = dict(sub_bboxes=boxes[sub] + noise[0], obj_bboxes=boxes[obj] + noise[1])
        found.append(prediction_entry(entry["file_name"], pairs | dict(obj_labels=predicted, verb_scores=scores), info))
    return found


class SmallSet:
    """Files of a data set in a folder.

    Attributes:
        images (EvaluationSet): The test split.
        entries, train (list): Its annotations, and those of the training split.
        found (list): Entries of a prediction file.
        path (str): That file.
    """

    def __init__(self, name: str, folder: Path, seed: int = 0, **options):
        folder.mkdir(parents=True, exist_ok=True)
        self.name, self.folder, self.options, rng = name, folder, options, np.random.default_rng(seed)
        write(folder / "names.json", OWN)
        self.train, self.entries = [], []
        info = self.load_as_it_is().metric.dataset_meta
        if name in ("toy", "own"):  # they count valid combinations in the training annotations
            info["valid_pairs"] = np.ones_like(info["valid_pairs"])
        self.train = random_entries(rng, info, "train", 2 * NUM_IMAGES)
        self.entries = random_entries(rng, info, "test")
        self.found = random_predictions(rng, self.entries, info)
        self.images, self.path = self.load_as_it_is(), self.save(self.found)

    def load_as_it_is(self) -> EvaluationSet:
        """The evaluation set of the present annotations."""
        names = dict(hico="trainval_hico", vcoco="trainval_vcoco", hoia="train_2019", toy="trainval_toy", own="train")
        train_file = write(self.folder / f"{names[self.name]}.json", self.train)
        own = dict(names_file=str(self.folder / "names.json"), train_ann_file=train_file) if self.name == "own" else {}
        return load_evaluation_set(self.name, write(self.folder / "test.json", self.entries), **own, **self.options)

    def save(self, found, name="predictions.json") -> str:
        """A prediction file."""
        return write(self.folder / name, found)


def official_vcoco(folder: Path) -> tuple[EvaluationSet, list]:
    """Official V-COCO files with random detections in the official format."""
    images, detections = random_case(5, num_images=12)
    images = [dict(image, persons=image["persons"] or {"0": {}}) for image in images]
    labels, instances = official_files(images)
    files = write(folder / "vcoco_test.json", labels), write(folder / "instances.json", instances)
    return load_evaluation_set("vcoco", *files), detections
