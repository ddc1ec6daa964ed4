"""Several processes on one machine, without GPUs."""

import json
import os
import re
import shutil

import pytest
import torch

from hqm_mmdet.safe_loading import load_untrusted
from hqm_mmdet.utils import distributed
from tests.engine.small_training import build_config
from tests.tools.conftest import ROOT


def scalars(work_dir):
    """Logged training iterations."""
    file = next(work_dir.glob("2*/vis_data/scalars.json"))
    return [entry for line in file.read_text().splitlines() if "grad_norm" in (entry := json.loads(line))]


def test_two_processes_train_restart_and_evaluate(start, small_config, tmp_path):
    config = small_config(epochs=2, iter_interval=1)
    dies = small_config("dies", epochs=2, iter_interval=1, moment="iter:3")  # the second process
    variables = dict(PYTHONPATH=str(ROOT), CUDA_VISIBLE_DEVICES="")
    dist_train, dist_test = ROOT / "tools" / "dist_train.sh", ROOT / "tools" / "dist_test.sh"
    # 14 images for two processes, four at a time: 2 iterations per epoch
    options = ("--cfg-options", "train_dataloader.batch_size=4")
    whole = start("bash", dist_train, config, 2, "--work-dir", "whole", *options, **variables)
    assert whole.returncode == 0, whole.stderr

    # a checkpoint of an earlier run in the same folder is not what a restart goes on from
    (tmp_path / "rest").mkdir()
    shutil.copy(tmp_path / "whole" / "epoch_2.pth", tmp_path / "rest" / "epoch_9.pth")
    rest = start("bash", dist_train, dies, 2, "--work-dir", "rest", *options, MAX_RESTARTS="1", **variables)
    assert rest.returncode == 0, rest.stderr
    # by its own name or by what `last_checkpoint` calls it, wherever the kill fell
    assert re.search(r"Restarted; training goes on from \S*rest/iter_", rest.stdout), rest.stdout
    ends = [load_untrusted(tmp_path / name / "epoch_2.pth") for name in ("whole", "rest")]
    assert all(torch.equal(value, ends[1]["state_dict"][key]) for key, value in ends[0]["state_dict"].items())
    lines = [(tmp_path / name / "losses.jsonl").read_text().splitlines() for name in ("whole", "rest")]
    assert sorted(lines[0][-2:]) == sorted(lines[1][-2:]) and len(lines[0]) == 8
    first, second = ({json.loads(line)["loss"] for line in lines[0] if json.loads(line)["iter"] == i} for i in (0, 1))
    assert len(first) == len(second) == 1 and first != second  # processes log the mean loss of all

    tested = start("bash", dist_test, config, tmp_path / "whole" / "epoch_2.pth", 2, **variables)
    assert tested.returncode == 0, tested.stderr


def test_usage_is_told(start):
    run = start("bash", ROOT / "tools" / "dist_train.sh", "config.py")
    assert run.returncode == 2 and "CONFIG N" in run.stderr
    for name in ("dist_test", "slurm_train", "slurm_test"):
        run = start("bash", ROOT / "tools" / f"{name}.sh", "config.py")
        assert run.returncode == 2 and "usage" in run.stderr


def test_srun_is_called_with_one_process_per_gpu(start, tmp_path):
    srun = tmp_path / "srun"
    srun.write_text('#!/bin/sh\necho "$@"\n')
    srun.chmod(0o755)
    variables = dict(PATH=f"{tmp_path}:{os.environ['PATH']}", GPUS="4", SRUN_ARGS="--qos high")
    run = start("bash", ROOT / "tools" / "slurm_train.sh", "part", "job", "c.py", "wd", "--amp", **variables)
    assert run.returncode == 0, run.stderr
    for words in (
        "-p part --job-name=job --gres=gpu:4 --ntasks=4 --ntasks-per-node=4",
        "--qos high",
        "train.py c.py --work-dir wd --amp --launcher slurm",
    ):
        assert words in run.stdout


@pytest.fixture
def environment(monkeypatch):
    """No launcher's variables, and a record of how processes would be joined."""
    for names in distributed.RANK_VARIABLES.values():
        for name in (*names, "MASTER_ADDR", "MASTER_PORT", "LOCAL_WORLD_SIZE"):
            monkeypatch.setenv(name, "")  # so that what the code sets is taken back
            monkeypatch.delenv(name)
    joined = []
    monkeypatch.setattr(distributed.dist, "init_process_group", lambda backend, **options: joined.append(backend))
    monkeypatch.setattr(distributed.torch.cuda, "set_device", lambda index: joined.append(index))
    return joined


@pytest.mark.parametrize(("num_gpus", "expected"), [(0, ["gloo"]), (1, [0, "gloo"]), (2, [1, "nccl"])])
def test_backend_is_what_the_machine_has(environment, monkeypatch, tmp_path, num_gpus, expected):
    for name, value in dict(RANK="3", WORLD_SIZE="4", LOCAL_RANK="1", LOCAL_WORLD_SIZE="2").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(distributed.torch.cuda, "device_count", lambda: num_gpus)
    monkeypatch.setattr(distributed.dist, "is_nccl_available", lambda: True)
    cfg = build_config(tmp_path)
    distributed.join_processes(cfg, "pytorch")
    assert environment == expected and cfg.launcher == "pytorch"
    assert ("model_wrapper_cfg" in cfg) == (expected[-1] == "gloo")


def test_variables_of_slurm_are_understood(environment, monkeypatch, tmp_path):
    monkeypatch.setenv("MASTER_ADDR", "node1")
    for name, value in dict(SLURM_PROCID="5", SLURM_NTASKS="8", SLURM_LOCALID="1").items():
        monkeypatch.setenv(name, value)
    distributed.join_processes(build_config(tmp_path), "slurm")
    assert (os.environ["RANK"], os.environ["WORLD_SIZE"], os.environ["LOCAL_RANK"]) == ("5", "8", "1")
    assert os.environ["MASTER_PORT"] == "29500"


@pytest.mark.parametrize(
    ("slurm", "num_gpus", "backend"),
    [
        (dict(SLURM_STEP_TASKS_PER_NODE="8(x2)"), 8, "nccl"),  # srun --ntasks=16 on two machines of 8 GPUs
        (dict(SLURM_TASKS_PER_NODE="8,4(x2)", SLURM_NODEID="2"), 4, "nccl"),
        (dict(SLURM_STEP_TASKS_PER_NODE="8(x2)"), 1, "gloo"),
        (dict(SLURM_STEP_TASKS_PER_NODE="8(x2)", SLURM_GPUS_PER_TASK="1"), 1, "nccl"),  # each sees its own only
        (dict(SLURM_STEP_TASKS_PER_NODE="8(x2)", SLURM_TRES_PER_TASK="cpu:4,gres/gpu:1"), 1, "nccl"),
        (dict(SLURM_STEP_TASKS_PER_NODE="8(x2)", SLURM_TRES_PER_TASK="cpu:4"), 1, "gloo"),
        (dict(SLURM_STEP_TASKS_PER_NODE="8(x2)", SLURM_GPUS_PER_TASK="1"), 0, "gloo"),
    ],
)
def test_slurm_gives_nccl_wherever_every_process_has_a_gpu(
    environment, monkeypatch, tmp_path, slurm, num_gpus, backend, caplog
):
    common = dict(SLURM_PROCID="5", SLURM_NTASKS="16", SLURM_LOCALID="0", MASTER_ADDR="node1")
    for name in ("SLURM_TASKS_PER_NODE", "SLURM_NODEID", "SLURM_GPUS_PER_TASK", "SLURM_TRES_PER_TASK"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**common, **slurm}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(distributed.torch.cuda, "device_count", lambda: num_gpus)
    monkeypatch.setattr(distributed.dist, "is_nccl_available", lambda: True)
    warned = []
    monkeypatch.setattr(distributed, "print_log", lambda message, **how: warned.append(message))
    distributed.join_processes(build_config(tmp_path), "slurm")
    assert environment[-1] == backend
    assert len(warned) == (backend == "gloo" and num_gpus > 0)  # gloo beside a GPU is never silent


def test_missing_variables_are_named(environment, tmp_path):
    with pytest.raises(RuntimeError, match="lacks RANK, WORLD_SIZE, LOCAL_RANK.*dist_train.sh"):
        distributed.join_processes(build_config(tmp_path), "pytorch")
