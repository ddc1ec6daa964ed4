"""Models from configs and checkpoints."""

import pytest
import torch

from hqm_mmdet.apis import build_model, init_model
from tests.models.tiny import random_batch, tiny_config, tiny_model


@pytest.fixture
def checkpoint(tmp_path):
    torch.save({"state_dict": tiny_model(seed=3).state_dict(), "meta": {}}, tmp_path / "tiny.pth")
    return tmp_path / "tiny.pth"


def test_init_model_loads_everything(checkpoint):
    model = init_model(tiny_config(), checkpoint)
    assert not model.training
    inputs, samples = random_batch([0])
    expected = tiny_model(seed=3).eval()(inputs, samples, mode="tensor")
    for name, value in model(inputs, samples, mode="tensor").items():
        torch.testing.assert_close(value, expected[name])


def test_missing_config_and_checkpoint_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.py"):
        init_model(tmp_path / "none.py")
    with pytest.raises(FileNotFoundError, match="none.pth"):
        init_model(tiny_config(), tmp_path / "none.pth")


def test_wrong_class_count_names_parameter_shapes_and_remedy(checkpoint):
    config = tiny_config()
    config.model.bbox_head.num_verbs = 9
    with pytest.raises(RuntimeError, match=r"tiny.pth.*verb_cls.weight: \(5, 32\).*\(9, 32\).*num_verbs"):
        init_model(config, checkpoint)


def test_missing_parameters_are_counted(checkpoint):
    config = tiny_config()
    config.model.decoder.num_layers = 3
    with pytest.raises(RuntimeError, match="lacks 1?[0-9]+ of the model's parameters.*decoder.layers.2"):
        init_model(config, checkpoint)


def test_weights_of_mining_are_ignored_by_the_plain_detector(tmp_path):
    mining = dict(
        type="JointLearning", miners=dict(gbs=dict(type="GBSQueryGenerator", embed_dims=32)), rounds=[["gbs"]]
    )
    mined = build_model(tiny_config(query_mining=mining))
    torch.save({"state_dict": mined.state_dict()}, tmp_path / "mined.pth")
    plain = init_model(tiny_config(), tmp_path / "mined.pth", folded=False)
    torch.save({"state_dict": plain.state_dict()}, tmp_path / "published.pth")
    assert init_model(tiny_config(query_mining=mining), tmp_path / "published.pth").query_mining is not None
    assert all(torch.equal(plain.state_dict()[name], mined.state_dict()[name]) for name in plain.state_dict())
