"""A model that knows drawings says so, once. That a training writes it: tests/tools/test_toy_training.py."""

import pytest

from hqm_mmdet.apis import HOIInferencer
from hqm_mmdet.apis.deployment.publish import publish_checkpoint
from hqm_mmdet.datasets import ToyHOIDataset
from tests.apis.conftest import META, inference_config, noise, write_checkpoint
from tests.cli.running import run
from tests.models.tiny import tiny_model

MADE_FOR = ToyHOIDataset.METAINFO["made_for"]
TOLD = f"was made for {MADE_FOR}; what it finds in other images means nothing."


@pytest.fixture
def checkpoint(tmp_path):
    names = dict(META, made_for=MADE_FOR)
    return write_checkpoint(tmp_path / "toy.pth", tiny_model(), inference_config(), dataset_meta=names)


@pytest.fixture
def told(monkeypatch):
    messages = []
    monkeypatch.setattr("hqm_mmdet.apis.inference.inferencer.print_log", lambda message, *_: messages.append(message))
    return messages


def test_it_is_said_once_per_model_also_of_a_published_file(checkpoint, tmp_path, monkeypatch, told):
    monkeypatch.chdir(tmp_path)
    for i in range(3):
        noise(60, 40, i).save(tmp_path / f"{i}.jpg")
    published = publish_checkpoint(checkpoint, tmp_path / "published").files
    for file in (checkpoint, *published):
        told.clear()
        assert run("predict", "*.jpg", "--checkpoint", file, "--device", "cpu", "--quiet") == 0
        assert told == [f"{file} {TOLD}"]


def test_other_models_say_nothing(tmp_path, told):
    file = write_checkpoint(tmp_path / "own.pth", tiny_model(), inference_config(), dataset_meta=META)
    HOIInferencer(file, device="cpu")
    assert not told
