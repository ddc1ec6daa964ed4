"""A tiny model whose checkpoint holds its config, as training and publishing write it, and images to predict."""

import pytest
import torch
from mmengine.config import Config
from PIL import Image

from hqm_mmdet.apis import HOIInferencer
from tests.models.tiny import tiny_config, tiny_model

META = dict(classes=("person", "cup", "ball", "dining_table"), verbs=("hold", "kick", "carry", "ride", "wave"))
PIPELINE = [
    dict(type="LoadHOIImage"),
    dict(type="Resize", scale=(96, 64), keep_ratio=True),
    dict(type="LoadHOIAnnotations", with_bbox=True),
    dict(type="PackHOIInputs"),
]


def inference_config(**options) -> Config:
    """Config of the tiny model with a test pipeline and class names."""
    config = tiny_config(**options)
    config.model.data_preprocessor.bgr_to_rgb = True
    dataset = dict(type="HOIDataset", metainfo=META, ann_file="none.json", pipeline=PIPELINE, test_mode=True)
    config.test_dataloader = dict(batch_size=1, dataset=dataset)
    return config


def write_checkpoint(path, model, config=None, **meta):
    """Checkpoint of a model; with ``config`` it can be used alone."""
    meta = dict(meta, cfg=config.pretty_text) if config is not None else meta
    torch.save({"state_dict": model.state_dict(), "meta": meta}, path)
    return str(path)


def tiny_checkpoint(tmp_path_factory, meta=META):
    """File of a tiny model that needs nothing else."""
    path = tmp_path_factory.mktemp("checkpoint") / "tiny.pth"
    return write_checkpoint(path, tiny_model(seed=1), inference_config(), dataset_meta=meta)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    return tiny_checkpoint(tmp_path_factory)


@pytest.fixture(scope="session")
def inferencer(checkpoint):
    """Of that checkpoint; one pair per query, so that results are easy to compare."""
    return HOIInferencer(checkpoint, device="cpu", show_progress=False, merge_iou=None)


def noise(width, height, seed=0, channels=3):
    """Image of random blocks."""
    generator = torch.Generator().manual_seed(seed)
    small = torch.randint(256, (6, 7, channels), generator=generator, dtype=torch.uint8).numpy()
    return Image.fromarray(small.squeeze()).resize((width, height), Image.Resampling.NEAREST)


@pytest.fixture
def folder(tmp_path):
    """Three images of different sizes and kinds, and a text file."""
    place = tmp_path / "photos"
    place.mkdir()
    noise(90, 60).save(place / "a.jpg")
    noise(50, 70, 1).save(place / "b.png")
    noise(64, 64, 2, 1).save(place / "c.webp")
    (place / "notes.txt").write_text("no image")
    return place
