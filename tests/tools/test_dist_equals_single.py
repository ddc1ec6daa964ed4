"""QPIC on the toy set: two processes with half the batch each log what one process logs, on one machine or on two."""

import json
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi
from tests.tools.conftest import ROOT

# Batch statistics depend on how a batch is split, so group normalisation. The toy set's images all get one size, so
# padding does not depend on it either.
OPTIONS = (
    "model.backbone.norm_cfg.type=GN",
    "model.backbone.norm_cfg.num_groups=8",
    "train_cfg.max_epochs=1",
    "train_cfg.val_interval=9",
    "train_cfg.val_begin=9",
    "default_hooks.logger.interval=1",
    "log_processor.window_size=1",
    "param_scheduler=None",
)


DIST_TRAIN = ["bash", ROOT / "tools" / "dist_train.sh"]


def train(start, tmp_path, name, command, batch_size, machines=1):
    options = (*OPTIONS, f"train_dataloader.batch_size={batch_size}")
    config = (ROOT / "configs" / "qpic_toy.py", *command[1:])
    words = (*command[0], *config, "--work-dir", name, "--cfg-options", *options)

    def launch(machine):
        several = {} if machines == 1 else dict(NNODES=str(machines), NODE_RANK=str(machine), PORT=port)
        return start(*words, CUDA_VISIBLE_DEVICES="", **several)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    with ThreadPoolExecutor(machines) as pool:
        for run in pool.map(launch, range(machines)):
            assert run.returncode == 0, run.stderr
    file = next((tmp_path / name).glob("2*/vis_data/scalars.json"))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    return [{k: v for k, v in line.items() if "loss" in k or k == "grad_norm"} for line in lines if "grad_norm" in line]


def test_losses_are_those_of_one_process_with_the_same_batch(start, tmp_path):
    settings = ToySettings(num_train=24, num_test=2, min_size=160, max_size=160)
    make_toy_hoi(tmp_path / "data" / "toy_hoi", settings, progress=False)
    single = train(start, tmp_path, "single", [[sys.executable, ROOT / "tools" / "train.py"]], 8)
    double = train(start, tmp_path, "double", [DIST_TRAIN, 2], 4)
    apart = train(start, tmp_path, "apart", [DIST_TRAIN, 1], 4, machines=2)
    assert len(single) == len(double) == len(apart) == 3
    for one, two, also_two in zip(single, double, apart, strict=True):
        assert two == pytest.approx(one, rel=1e-3) and also_two == pytest.approx(two, rel=1e-6)
    assert single[0]["loss"] != single[1]["loss"]
