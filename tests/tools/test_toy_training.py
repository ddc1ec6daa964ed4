"""Detectors learn the toy set, from their configs and through tools/train.py."""

import json
import statistics

import pytest

from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi
from hqm_mmdet.safe_loading import load_untrusted
from tests.tools.conftest import ROOT

# 24 images in batches of 8: three iterations per epoch, no validation.
OPTIONS = (
    "train_cfg.max_epochs=12",
    "train_cfg.val_interval=99",
    "train_cfg.val_begin=99",
    "default_hooks.checkpoint.interval=99",
    "default_hooks.logger.interval=1",
    "log_processor.window_size=1",
    "param_scheduler=None",
)


@pytest.mark.parametrize("name", ("cdn_s_toy", "cdn_s_hqm_toy"))
def test_loss_falls(call, tmp_path, name):
    make_toy_hoi(tmp_path / "data" / "toy_hoi", ToySettings(num_train=24, num_test=2), progress=False)
    config = ROOT / "configs" / f"{name}.py"
    options = (*OPTIONS, f"visualizer.name={name}")  # visualizers are kept by name, with their folder
    assert call("train", config, "--work-dir", tmp_path / name, "--seed", 1, "--cfg-options", *options) == 0
    file = next((tmp_path / name).glob("2*/vis_data/scalars.json"))
    lines = [entry for line in file.read_text().splitlines() if "loss" in (entry := json.loads(line))]
    assert len(lines) == 36
    for key in sum_of_kinds(lines[0]) | sum_of_kinds(lines[1]):  # rounds alternate, so both iterations' losses
        history = [line[key] for line in lines if key in line]
        first, last = statistics.mean(history[:3]), statistics.mean(history[-3:])
        assert last < 0.75 * first, key
    (checkpoint,) = (tmp_path / name).glob("epoch_*.pth")
    assert load_untrusted(checkpoint)["meta"]["dataset_meta"]["made_for"] == "drawings of the toy set"


def sum_of_kinds(line):
    """The total, and the verb loss of the last layer of each query set."""
    return {"loss"} | {key for key in line if key.endswith("loss_verb") and ".d" not in key and key[0] != "d"}
