"""Interactiveness learns from data sets of different vocabularies in one training."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from PIL import Image

from hqm_mmdet.apis import build_model

CONFIGS = Path(__file__).parents[3] / "configs"
# data set folder, annotation file, image folder, image name, category id of an object, verb id
SETS = (
    ("hico_20160224_det", "trainval_hico.json", "train2015", "HICO_train2015_00000001.jpg", 2, 77),
    ("v-coco", "trainval_vcoco.json", "train2014", "COCO_train2014_000000000009.jpg", 3, 3),
    ("hoia", "train_2019.json", "trainval", "train_00001.png", "2", 1),
)


@pytest.fixture
def data(tmp_path):
    """One image of each data set, two persons and an object, one of them interacts with it."""
    for folder, file, images, name, category, verb in SETS:
        root = tmp_path / "data" / folder
        (root / "annotations").mkdir(parents=True)
        (root / "images" / images).mkdir(parents=True)
        pixels = np.random.default_rng(0).integers(0, 256, (96, 120, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / "images" / images / name)
        person = "1" if isinstance(category, str) else 1
        boxes = [([0, 0, 50, 90], person), ([30, 20, 80, 60], category), ([70, 10, 118, 80], person)]
        entry = dict(
            file_name=name,
            annotations=[dict(bbox=box, category_id=label) for box, label in boxes],
            hoi_annotation=[dict(subject_id=0, object_id=1, category_id=verb)],
        )
        (root / "annotations" / file).write_text(json.dumps([entry]))
    return tmp_path


def test_one_training_on_three_data_sets(data, monkeypatch):
    monkeypatch.chdir(data)
    cfg = Config.fromfile(CONFIGS / "interactiveness_hico_vcoco_hoia.py")
    cfg.train_dataloader.update(num_workers=0, persistent_workers=False)
    small = Config.fromfile(CONFIGS / "interactiveness_toy.py").model
    cfg.model = small
    torch.manual_seed(0)
    model = build_model(cfg).train()
    with DefaultScope.overwrite_default_scope("hqm_mmdet"):
        loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)
    assert len(loader.dataset) == 3
    shapes = set()
    for batch in loader:
        data_of_batch = model.data_preprocessor(batch, True)
        shapes.add(data_of_batch["data_samples"][0].gt_pairs.verb_labels.shape[1])
        (loss,) = model(**data_of_batch, mode="loss").values()
        loss.backward()
        assert torch.isfinite(loss) and loss > 0
    assert len(shapes) == 3  # three vocabularies
