"""Checkpoint files: both formats come back as they were written, and load wherever a checkpoint does."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from hqm_mmdet.apis import init_model
from hqm_mmdet.checkpoints import write_checkpoint
from hqm_mmdet.safe_loading import CheckpointError, load_trusted, load_untrusted
from hqm_mmdet.safetensors_io import decode, encode
from tests.models.tiny import tiny_config, tiny_model

META = dict(
    cfg="a = 1\n",
    epoch=3,
    dataset_meta=dict(
        classes=("person", "cup"), valid_pairs=np.eye(2, dtype=bool), unseen={(1, 2), (0, 1)}, rare=[(1, 0)]
    ),
)


@pytest.mark.parametrize("ending", ("pth", "safetensors"))
def test_round_trip(tmp_path, ending):
    tied = torch.randn(4, 6)
    state = {"a.weight": tied, "a.again": tied[:2].T, "b": torch.tensor(3), "h": torch.randn(2).half()}
    write_checkpoint(tmp_path / f"x.{ending}", state, META)
    content = load_untrusted(tmp_path / f"x.{ending}")
    assert set(content) == {"state_dict", "meta"} and set(content["state_dict"]) == set(state)
    for name, tensor in state.items():
        assert torch.equal(content["state_dict"][name], tensor) and content["state_dict"][name].dtype == tensor.dtype
    names = content["meta"]["dataset_meta"]
    assert np.array_equal(names.pop("valid_pairs"), np.eye(2, dtype=bool))
    assert names == {key: value for key, value in META["dataset_meta"].items() if key != "valid_pairs"}
    assert content["meta"]["cfg"] == "a = 1\n" and content["meta"]["epoch"] == 3


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        (),
        {},
        set(),
        (1, (2.5, "x"), [True, None]),
        {"a": {"b": ({"c": (1,)},)}, "tuple_": [1]},
        {(0, 1), (1, 2)},
        [float("inf"), -0.0, 2**53],
    ],
    ids=str,
)
def test_meta_comes_back(value):
    back = decode(json.loads(json.dumps(encode(value))))
    assert back == value and type(back) is type(value)


def test_what_a_header_can_not_hold(tmp_path):
    with pytest.raises(ValueError, match="can't hold <object.*write .pth"):
        write_checkpoint(tmp_path / "x.safetensors", {}, dict(a=object()))
    with pytest.raises(ValueError, match="ends in .pth or .safetensors, got .bin"):
        write_checkpoint(tmp_path / "x.bin", {}, {})
    assert not list(tmp_path.iterdir())


def test_safetensors_of_others_have_no_meta(tmp_path):
    save_file({"a": torch.zeros(2)}, tmp_path / "x.safetensors")
    assert load_untrusted(tmp_path / "x.safetensors")["meta"] == {}


def test_damaged_safetensors(tmp_path):
    write_checkpoint(tmp_path / "x.safetensors", {"a": torch.zeros(9)}, {})
    (tmp_path / "x.safetensors").write_bytes((tmp_path / "x.safetensors").read_bytes()[:-8])
    with pytest.raises(CheckpointError, match="x.safetensors was not loaded"):
        load_untrusted(tmp_path / "x.safetensors")
    with pytest.raises(FileNotFoundError, match="y.safetensors does not exist"):
        load_untrusted(tmp_path / "y.safetensors")


def test_init_model_takes_both(tmp_path):
    state = tiny_model(seed=3).state_dict()
    inside_ddp = {f"module.{name}": value for name, value in state.items()}
    for name, content in (("x.pth", state), ("x.safetensors", state), ("ddp.pth", inside_ddp)):
        write_checkpoint(tmp_path / name, content, META)
        model = init_model(tiny_config(), tmp_path / name, folded=False)
        assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
        assert model.dataset_meta["classes"] == ("person", "cup")


def test_trusted_loading_reports_what_fails(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none.pth does not exist"):
        load_trusted(tmp_path / "none.pth")
    (tmp_path / "text.pth").write_text("no checkpoint")
    with pytest.raises(CheckpointError, match=r"text.pth was not loaded"):
        load_trusted(tmp_path / "text.pth")
