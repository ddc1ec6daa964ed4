"""tools/train.py and tools/test.py."""

import json
import pickle
import sys
from pathlib import Path

import mmengine.runner.runner
import pytest
import torch

from hqm_mmdet.checkpoints import write_checkpoint
from hqm_mmdet.safe_loading import load_untrusted
from hqm_mmdet.utils import launch
from hqm_mmdet_cli.errors import message_of
from tests.engine.small_training import build_config
from tests.tools.conftest import ROOT


def logged(work_dir):
    """Iterations of the training log, oldest first."""
    return [json.loads(line)["iter"] for line in (Path(work_dir) / "losses.jsonl").read_text().splitlines()]


# ---- what goes wrong


@pytest.mark.parametrize("tool", ["train", "test"])
def test_missing_config_is_one_message(call, capsys, tool):
    assert call(tool, "configs/no_such.py", *["x.pth"] * (tool == "test")) == 2
    error = capsys.readouterr().err
    assert "configs/no_such.py" in error or "x.pth" in error
    assert len(error.splitlines()) == 2 and "Traceback" not in error


@pytest.mark.parametrize("arguments", [("train", "--resume", "no.pth"), ("train", "--cfg-options", "load_from=no.pth")])
def test_missing_checkpoint_is_one_message(call, capsys, small_config, arguments):
    assert call(arguments[0], small_config(), *arguments[1:]) == 2
    error = capsys.readouterr().err
    assert "Checkpoint no.pth does not exist" in error and "Traceback" not in error


def test_missing_checkpoint_of_a_test_is_one_message(call, capsys, small_config):
    assert call("test", small_config(), "no.pth") == 2
    assert "Checkpoint no.pth does not exist" in capsys.readouterr().err


def test_debug_shows_the_traceback(call, capsys, small_config):
    assert call("train", small_config(), "--resume", "no.pth", "--debug") == 2
    error = capsys.readouterr().err
    assert "Traceback" in error and "no.pth does not exist" in error


def test_errors_of_others_keep_their_traceback(call, capsys, small_config, monkeypatch):
    def fail(*args, **kwargs):
        raise KeyError("a mistake of the program")

    monkeypatch.setattr("tests.engine.small_training.NoisyDataset.__getitem__", fail)
    assert call("train", small_config()) == 2
    error = capsys.readouterr().err
    assert "Traceback" in error and "KeyError: 'a mistake of the program'" in error


def test_misspelt_settings_are_one_message(call, capsys, small_config):
    for option, message in (
        (
            "model.type=NoisyModle",
            "small.py: model.type: there is no component 'NoisyModle'. Did you mean 'NoisyModel'",
        ),
        ("max_epochs=1", "--cfg-options max_epochs=...: nothing reads"),
    ):
        assert call("train", small_config(), "--cfg-options", option) == 2
        error = capsys.readouterr().err
        assert message in error and "Traceback" not in error and len(error.splitlines()) == 2


def test_other_class_count_is_one_message(call, capsys, small_config, tmp_path):
    assert call("train", small_config(epochs=1)) == 0
    assert call("test", small_config("other", width=6), tmp_path / "small" / "epoch_1.pth") == 2
    assert "(8, 8) in the checkpoint, (6, 8) in the model" in capsys.readouterr().err


def test_safetensors_are_tested_and_start_a_training(call, small_config, tmp_path):
    assert call("train", small_config(epochs=1)) == 0
    checkpoint = load_untrusted(tmp_path / "small" / "epoch_1.pth")
    write_checkpoint(tmp_path / "x.safetensors", checkpoint["state_dict"], dict(epoch=1))
    assert call("test", small_config("tested"), tmp_path / "x.safetensors") == 0
    options = ("--cfg-options", f"load_from={tmp_path / 'x.safetensors'}", "optim_wrapper.optimizer.lr=0.0")
    assert call("train", small_config("second", epochs=1), *options) == 0
    second = load_untrusted(tmp_path / "second" / "epoch_1.pth")["state_dict"]
    assert all(
        torch.equal(second[name], value)
        for name, value in checkpoint["state_dict"].items()
        if "running" not in name and "num" not in name
    )


def test_loss_that_is_not_finite_is_one_message(call, capsys, small_config):
    assert call("train", small_config(bad_index=3)) == 2
    assert "image_3.jpg" in capsys.readouterr().err


def test_error_of_a_data_process_is_told_without_its_traceback():
    text = "Caught X in DataLoader worker process 0.\nOriginal Traceback (most recent call last):\n  ...\nX: a: b"
    assert message_of(OSError(text)) == "a: b"
    assert message_of(OSError("a: b\nc")) == "a: b\nc"


def test_arguments_without_meaning_are_refused(call, capsys, small_config):
    config = small_config()
    config.write_text(config.read_text().replace("base_batch_size=6", "").replace("dict(, ", "dict("))
    assert call("train", config, "--auto-scale-lr") == 2
    assert "needs auto_scale_lr.base_batch_size" in capsys.readouterr().err


def test_missing_data_is_one_message_from_any_folder(start):
    """The config is found in the project, its data is not found here."""
    run = start(sys.executable, ROOT / "tools" / "train.py", "configs/qpic_toy.py")
    assert run.returncode == 2, run.stderr
    assert "Traceback" not in run.stderr and "toy_hoi" in run.stderr.splitlines()[-2]


def test_wishes_without_meaning_are_refused(call, capsys, small_config):
    assert call("train", small_config(), "--data-root", "x") == 2
    assert "--data-root needs data sets with data_root" in capsys.readouterr().err
    assert call("train", small_config(), "--epochs", "0") == 2
    assert "--epochs" in capsys.readouterr().err


# ---- what goes right


def test_common_wishes_as_plain_options(call, small_config, tmp_path, monkeypatch):
    """A schedule by epochs is stretched, and training does what it says."""
    seen = {}

    def note(cfg):
        seen.update(cfg=cfg)
        return mmengine.runner.runner.Runner.from_cfg(cfg)

    monkeypatch.setattr("hqm_mmdet.cli.train.build_runner", note)
    config = small_config(epochs=4)
    with config.open("a") as file:
        file.write("\nparam_scheduler = [dict(type='MultiStepLR', by_epoch=True, milestones=[2], end=4, gamma=0.1)]\n")
    options = (
        "--epochs",
        2,
        "--batch-size",
        7,
        "--lr",
        0.5,
        "--workers",
        1,
        "--val-interval",
        2,
        "--fresh",
        "head",
        "body",
    )
    assert call("train", config, *options) == 0
    cfg = seen["cfg"]
    assert cfg.train_cfg.max_epochs == 2 and cfg.param_scheduler[0].milestones == [1]
    assert cfg.train_cfg.val_interval == 2 and cfg.train_dataloader.num_workers == 1
    assert cfg.default_hooks.weight_check.fresh == ("head", "body")
    assert len(logged(tmp_path / "small")) == 2 * 2  # 14 images
    group = load_untrusted(tmp_path / "small" / "epoch_2.pth")["optimizer"]["param_groups"][0]
    assert group["initial_lr"] == 0.5 and group["lr"] == pytest.approx(0.05)


def test_training_resumes_and_is_evaluated(call, small_config, tmp_path, monkeypatch, capsys):
    whole, config = small_config("whole"), small_config()
    assert call("train", whole) == 0
    assert call("train", config, "--resume", "--cfg-options", "train_cfg.max_epochs=2") == 0
    assert "Nothing to resume" in capsys.readouterr().out
    assert call("train", config, "--resume") == 0
    assert logged(tmp_path / "small") == list(range(20))
    assert (tmp_path / "small" / "losses.jsonl").read_text() == (tmp_path / "whole" / "losses.jsonl").read_text()

    assert call("test", config, tmp_path / "small" / "epoch_4.pth", "--out", "all.pkl", "--work-dir", "tested") == 0
    assert len(pickle.loads((tmp_path / "all.pkl").read_bytes())) == 14
    assert next((tmp_path / "tested").glob("2*"))


def test_resume_goes_on_from_the_given_checkpoint(call, small_config, tmp_path):
    config = small_config(epochs=2)
    assert call("train", config) == 0
    assert call("train", config, "--resume", tmp_path / "small" / "epoch_1.pth", "--work-dir", "again") == 0
    assert logged("again") == list(range(5, 10))


def test_auto_resume_without_checkpoint_keeps_the_initialisation(call, small_config, tmp_path):
    assert call("train", small_config("first", epochs=1)) == 0
    weights = str(tmp_path / "first" / "epoch_1.pth")
    cfg = build_config(tmp_path / "second", load_from=weights)
    launch.set_start(cfg, "auto")
    assert (cfg.resume, cfg.load_from) == (False, weights)


def test_seed_batch_size_and_options_arrive(call, small_config, tmp_path, monkeypatch):
    seen = {}

    def note(cfg):
        seen.update(cfg=cfg)
        return mmengine.runner.runner.Runner.from_cfg(cfg)

    monkeypatch.setattr("hqm_mmdet.cli.train.build_runner", note)
    options = ("--cfg-options", "train_cfg.max_epochs=1", "train_dataloader.batch_size=2")
    assert call("train", small_config(), "--seed", 7, "--auto-scale-lr", "--amp", *options) == 0
    cfg = seen["cfg"]
    assert cfg.randomness.seed == 7 and cfg.auto_scale_lr.enable and cfg.train_dataloader.batch_size == 2
    assert cfg.optim_wrapper.type == (
        "BFloat16OptimWrapper" if not torch.cuda.is_available() else cfg.optim_wrapper.type
    )
    checkpoint = load_untrusted(tmp_path / "small" / "epoch_1.pth")
    assert checkpoint["optimizer"]["param_groups"][0]["initial_lr"] == pytest.approx(0.01 * 2 / 6)
    assert checkpoint["meta"]["seed"] == 7
