"""Published checkpoints: the plain detector, complete, the same numbers."""

import hashlib

import numpy as np
import pytest
import torch

from hqm_mmdet.apis import build_model, init_model
from hqm_mmdet.apis.deployment import publish
from hqm_mmdet.apis.deployment.publish import publish_checkpoint
from hqm_mmdet.apis.inference_config import inference_config
from hqm_mmdet.safe_loading import CheckpointError, load_untrusted
from tests.apis.text_checkpoint import write_text_checkpoint
from tests.apis.toy_checkpoint import toy_config, write_toy_checkpoint


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return write_toy_checkpoint(tmp_path_factory.mktemp("trained") / "epoch_3.pth")


@pytest.fixture(scope="module")
def published(trained):
    return publish_checkpoint(trained, trained.with_name("toy"))


def test_files_are_named_by_their_hash(published):
    assert [path.suffix for path in published.files] == [".pth", ".safetensors"]
    for path in published.files:
        assert path.stem == f"toy-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}"


def test_same_weights_give_the_same_files(published, trained, tmp_path):
    assert [path.name for path in publish_checkpoint(trained, tmp_path / "toy").files] == [
        path.name for path in published.files
    ]


def test_published_is_the_plain_detector(published):
    plain = build_model(toy_config("qpic_toy"))
    assert published.num_parameters == sum(parameter.numel() for parameter in plain.parameters())
    assert published.removed and all(name.startswith("query_mining.") for name in published.removed)
    for path in published.files:
        content = load_untrusted(path)
        assert set(content) == {"state_dict", "meta"}
        assert set(content["state_dict"]) == set(plain.state_dict())
        assert {"optim_wrapper", "train_dataloader", "custom_hooks"}.isdisjoint(init_model(None, path).cfg)


def test_both_formats_hold_the_same(published):
    first, second = (load_untrusted(path) for path in published.files)
    assert all(torch.equal(value, second["state_dict"][name]) for name, value in first["state_dict"].items())
    assert first["meta"]["epoch"] == second["meta"]["epoch"] == 3
    one, other = (content["meta"].pop("dataset_meta") for content in (first, second))
    assert first["meta"] == second["meta"]
    assert one["classes"] == other["classes"] and isinstance(other["classes"], tuple)
    assert np.array_equal(one["valid_pairs"], other["valid_pairs"]) and other["valid_pairs"].dtype == bool


def test_published_predicts_the_same_without_a_config(published, trained):
    inputs = torch.randn(2, 3, 96, 96)
    expected = init_model(toy_config(), trained, folded=False)(inputs, mode="tensor")
    for path in published.files:
        got = init_model(None, path, folded=False)(inputs, mode="tensor")
        assert all(torch.equal(got[name], value) for name, value in expected.items())


def test_file_that_predicts_something_else_is_deleted(trained, tmp_path, monkeypatch):
    def damaged(state, meta, file_format):
        floats = {name: value + 1e-3 for name, value in state.items() if value.is_floating_point()}
        return checkpoint_bytes({**state, **floats}, meta, file_format)

    checkpoint_bytes = publish.checkpoint_bytes
    monkeypatch.setattr(publish, "checkpoint_bytes", damaged)
    with pytest.raises(CheckpointError, match="predicts other"):
        publish_checkpoint(trained, tmp_path / "toy")
    assert not list(tmp_path.iterdir())


def test_checkpoint_without_config(tmp_path):
    path = write_toy_checkpoint(tmp_path / "bare.pth", "qpic_toy", with_config=False)
    with pytest.raises(CheckpointError, match="bare.pth holds no config"):
        publish_checkpoint(path, tmp_path / "toy")
    (file,) = publish_checkpoint(path, tmp_path / "toy", toy_config("qpic_toy"), ["safetensors"]).files
    assert init_model(None, file).dataset_meta["verbs"]


def test_config_of_inference():
    config = toy_config("cdn_s_reweight_hico")
    config.model.backbone.init_cfg = dict(type="Pretrained", checkpoint="backbone.pth")
    config.model.bbox_head.verb_object_mask = "mask.npy"
    plain = inference_config(config)
    assert {"obj_reweighting", "verb_reweighting"}.isdisjoint(plain.model.bbox_head)
    assert "init_cfg" not in plain.model.backbone and plain.model.bbox_head.verb_object_mask == "mask.npy"
    assert plain.test_dataloader == config.test_dataloader and "train_dataloader" not in plain
    assert config.model.bbox_head.verb_reweighting  # the given one stays as it is


def test_a_model_that_scores_texts_is_published_without_its_clip(tmp_path):
    """The classifiers and the image tower are in the checkpoint."""
    checkpoint, clip = write_text_checkpoint(tmp_path)
    clip.unlink()
    inputs = torch.randn(1, 3, 64, 96)
    expected = init_model(None, checkpoint, folded=False)(inputs, mode="tensor")
    (file,) = publish_checkpoint(checkpoint, tmp_path / "published", formats=["safetensors"]).files
    got = init_model(None, file, folded=False)(inputs, mode="tensor")
    assert torch.equal(got["hoi_logits"], expected["hoi_logits"])
