"""Re-weighting and frozen parts under DistributedDataParallel."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.models import reweighted_processes

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, reweighted_processes.__file__, str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return [torch.load(folder / f"rank{rank}.pth", weights_only=True) for rank in (0, 1)]


@pytest.mark.parametrize("which", ("plain", "hqm"))
def test_both_processes_hold_the_same_queue_and_weights(ranks, which):
    first, second = (rank[which]["state"] for rank in ranks)
    assert first["bbox_head.obj_reweighting.queue"].any() and first["bbox_head.verb_reweighting.num_calls"] == 6
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def test_the_queue_is_that_of_one_process_with_the_whole_batch(ranks):
    single = reweighted_processes.train(0, 1)["queues"]
    for ours, expected in zip(ranks[0]["plain"]["queues"], single, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(ours, expected, strict=True))
    assert not torch.equal(single[0][0], single[1][0])
