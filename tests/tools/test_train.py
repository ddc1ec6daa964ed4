"""tools/train.py and tools/test.py."""

import copy
import json
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import mmengine.runner.runner
import pytest
import torch

from hqm_mmdet.checkpoints import write_checkpoint
from hqm_mmdet.checkpoints.initialise import INITIALISERS
from hqm_mmdet.configuring import how_to_start, parse_config, project_configs
from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi
from hqm_mmdet.safe_loading import load_untrusted
from hqm_mmdet.utils import launch
from hqm_mmdet_cli.errors import message_of
from hqm_mmdet_cli.installation import resume_command
from tests.engine.small_training import build_config
from tests.tools.conftest import ROOT

PIPES = dict(stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


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

    def note(cfg, **_):
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

    def note(cfg, **_):
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


# ---- what the console shows


def test_console_is_a_summary_and_short_lines_and_the_file_has_all(call, capsys, small_config, tmp_path):
    loud = ("--cfg-options", "log_level=INFO")
    assert call("train", small_config(epochs=1), *loud) == 0
    lines = capsys.readouterr().out.splitlines()
    first = next(i for i, line in enumerate(lines) if "Epoch(train)" in line)
    assert first < 20
    shown = "\n".join(lines[:first])
    for text in ("NoisyModel", "14 images", "1 epoch of 5 iterations", "random weights", "cpu, 1 process", "full log"):
        assert text in shown, text
    assert "loss: " in lines[first] and "loss_a" not in lines[first] and "data_time" not in lines[first]
    (log,) = (tmp_path / "small").glob("*/*.log")
    text = log.read_text()
    assert "loss_a: " in text and "NoisyModel" in text and "Config:" in text
    assert call("train", small_config("loud", epochs=1), "--verbose", *loud) == 0
    assert "Config:" in capsys.readouterr().out


def test_a_model_that_needs_a_start_refuses_to_train_without(call, capsys, small_config, tmp_path):
    def config(name):  # of its own: mmengine's loggers are told apart by name and second
        file = small_config(name, epochs=1)
        file.write_text(f'{file.read_text()}\nneeds_start = "cdn"\n')
        return file

    loud = ("--cfg-options", "log_level=INFO")
    first = config("first")
    assert call("train", first) == 2
    error = capsys.readouterr().err
    assert "convert detr-r50-e632da11.pth params/cdn_init.pth --model cdn`" in error
    assert f"train {first} --load-from params/cdn_init.pth`" in error and "--from-scratch" in error
    assert not (tmp_path / "first").exists()
    assert call("train", first, "--from-scratch") == 0
    printed = capsys.readouterr().out
    assert "WARNING: The model is meant to start from trained weights and starts from random ones" in printed
    weights = tmp_path / "first" / "epoch_1.pth"
    assert call("train", config("second"), "--load-from", weights, *loud) == 0
    assert f"start     {weights}" in capsys.readouterr().out
    assert call("train", config("third"), "--epochs", "2", "--resume", weights, *loud) == 0
    assert "after 1 epochs, 5 iterations" in capsys.readouterr().out
    assert call("train", first, "--from-scratch", "--load-from", weights) == 2


def test_configs_of_published_methods_need_a_start_and_toy_ones_none():
    for name, path in project_configs().items():
        cfg = parse_config(path)
        # A box detector names its start in load_from, and CLIP on pairs has nothing to train.
        own_start = "toy" in name or path.parent.name == "detectors" or name == "clip_pairs_hico"
        assert (cfg.get("needs_start") is None) == own_start, name
        assert cfg.get("needs_start") in (None, "tin", *INITIALISERS), name
    start = how_to_start(parse_config(project_configs()["cdn_l_hqm_vcoco"]))
    assert "detr-r101-2c7b67e5.pth params/cdn_init.pth --model cdn --dataset vcoco" in start


@pytest.mark.parametrize(
    ("name", "key", "expected"),
    [
        ("upt_r50_hico", "model.instances.checkpoint", "convert DETR.pth params/detector.pth --model detector"),
        ("pvic_dino_swin_l_hico", "model.instances.checkpoint", "weights of DINO, tuned on the data set's boxes"),
        ("pvic_h_detr_r50_hico", "model.instances.checkpoint", "convert H_DETR.pth params/detector.pth"),
        ("tin_hico", "model.backbone.init_cfg.checkpoint", "convert tin.npz params/tin_init.pth"),
    ],
)
def test_weights_of_a_part_are_a_start(name, key, expected):
    cfg = parse_config(project_configs()[name])
    assert expected in how_to_start(cfg)
    for given in ("load_from", key):
        started = copy.deepcopy(cfg)
        started.merge_from_dict({given: "x.pth"})
        assert how_to_start(started) is None


def test_missing_files_are_told_before_the_model_is_built(call, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("hqm_mmdet.cli.train.build_runner", lambda *_, **__: pytest.fail("the runner is built"))
    assert call("train", "qpic_toy") == 2
    assert "make-toy data/toy_hoi" in capsys.readouterr().err
    make_toy_hoi(tmp_path / "toy", ToySettings(num_train=2, num_test=1), progress=False)
    shutil.rmtree(tmp_path / "toy" / "images" / "test")
    assert call("train", "qpic_toy", "--data-root", "toy") == 2
    assert f"Image folder {tmp_path / 'toy' / 'images' / 'test'} does not exist" in capsys.readouterr().err


def test_a_fraction_of_a_test_set_is_refused(call, capsys, tmp_path):
    make_toy_hoi(tmp_path / "data" / "toy_hoi", ToySettings(num_train=2, num_test=1), progress=False)
    (tmp_path / "x.pth").touch()
    assert call("test", "qpic_toy", "x.pth", "--cfg-options", "test_dataloader.dataset.fraction=0.5") == 2
    assert "fraction=0.5 is for training" in capsys.readouterr().err


def test_test_says_what_it_does_not_have_and_notices_a_swap(call, capsys, tmp_path):
    (tmp_path / "x.pth").touch()
    assert call("test", "qpic_toy", "x.pth", "--tta") == 2
    assert "there is no test-time augmentation" in capsys.readouterr().err
    assert call("test", "x.pth", "qpic_toy.py") == 2
    assert "CONFIG comes first, then CHECKPOINT: qpic_toy.py x.pth" in capsys.readouterr().err


def test_ctrl_c_saves_and_prints_the_command_that_goes_on(small_config, tmp_path):
    command = [sys.executable, ROOT / "tools" / "train.py", small_config(epochs=100000), "--seed", "3"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [str(word) for word in command], cwd=tmp_path, env=environment, text=True, **PIPES
    ) as process:
        wait_for(tmp_path / "small" / "losses.jsonl", process)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=120)
    assert process.returncode == 130, printed
    (saved,) = re.findall(r"Stopped by SIGINT after iteration (\d+), saved", printed)
    assert f"Go on with\n  python {' '.join(map(str, command[1:]))} --resume" in printed
    assert (tmp_path / "small" / f"iter_{saved}.pth").is_file() or int(saved) % 5 == 0


def wait_for(file, process):
    while not (file.is_file() and file.stat().st_size):
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("/x/bin/hqm-mmdet", "train", "a b.py"), "hqm-mmdet train 'a b.py' --resume"),
        (("/x/hqm_mmdet_cli/__main__.py", "train", "c"), "python -m hqm_mmdet_cli train c --resume"),
        (("t.py", "c", "--resume", "old.pth", "--amp"), "python t.py c --amp --resume"),
        (("t.py", "c", "--resume", "--amp"), "python t.py c --amp --resume"),
        (("t.py", "c", "--resume"), "python t.py c --resume"),
    ],
)
def test_the_command_that_goes_on(words, expected, monkeypatch):
    monkeypatch.setattr(sys, "argv", list(words))
    assert resume_command() == expected
