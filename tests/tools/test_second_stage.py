"""The second stage on the toy set, from the fragment: start, resume, and what is left for inference."""

import pytest
import torch
from mmengine.config import Config

from hqm_mmdet.apis import build_model, init_model
from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi
from hqm_mmdet.safe_loading import load_untrusted
from tests.tools.conftest import ROOT

CONFIG = """
_base_ = ["{first}", "{fragment}"]
model = dict(
    trainable=_base_.trainable,
    backbone=dict(norm_eval=True),  # frozen, its statistics too
    bbox_head=dict(obj_reweighting=_base_.reweighting, verb_reweighting=_base_.reweighting),
)
custom_hooks = _base_.reweighting_hooks
load_from = "first.pth"
optim_wrapper = dict(optimizer=dict(lr=1e-4))
param_scheduler = None
train_cfg = dict(max_epochs=2, val_interval=9, val_begin=9)
default_hooks = dict(checkpoint=dict(iter_interval=1))
"""


LEARNING = ("decoder.", "interaction_decoder.", "bbox_head.")


@pytest.fixture(params=("qpic_toy", "cdn_s_toy"))
def first_stage(request):
    return ROOT / "configs" / f"{request.param}.py"


@pytest.fixture
def runs(call, tmp_path, first_stage):
    """State dicts: the first stage, the second one, and the second one resumed in its middle."""
    make_toy_hoi(tmp_path / "data" / "toy_hoi", ToySettings(num_train=16, num_test=2), progress=False)
    torch.manual_seed(0)
    torch.save(dict(state_dict=build_model(first_stage).state_dict()), tmp_path / "first.pth")
    (tmp_path / "second.py").write_text(
        CONFIG.format(first=first_stage, fragment=ROOT / "configs" / "_base_" / "reweighting" / "stage2.py")
    )
    assert not call("train", tmp_path / "second.py", "--work-dir", "whole")
    assert not call(
        "train", tmp_path / "second.py", "--work-dir", "rest", "--resume", tmp_path / "whole" / "iter_3.pth"
    )
    files = ("first.pth", "whole/epoch_2.pth", "rest/epoch_2.pth")
    return [load_untrusted(tmp_path / file)["state_dict"] for file in files]


def test_second_stage(runs, first_stage, tmp_path):
    first, whole, rest = runs
    assert whole.keys() == rest.keys()
    assert all(torch.equal(value, rest[name]) for name, value in whole.items())  # queues too
    for name, value in first.items():
        assert torch.equal(value, whole[name]) or name.startswith(LEARNING), name
    assert not torch.equal(first["bbox_head.verb_cls.weight"], whole["bbox_head.verb_cls.weight"])
    queue, calls = (whole[f"bbox_head.verb_reweighting.{name}"] for name in ("queue", "num_calls"))
    layers = Config.fromfile(first_stage).model.decoder.num_layers
    assert calls == 4 * layers == (queue.sum(1) > 0).sum() and queue.shape == (4704, 12)

    plain = init_model(first_stage, tmp_path / "whole" / "epoch_2.pth", folded=False)
    assert plain.state_dict().keys() == first.keys()
    assert init_model(tmp_path / "second.py", tmp_path / "first.pth").bbox_head.verb_reweighting is not None
