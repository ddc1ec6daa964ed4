"""Two processes whose sampler repeats an image to fill the last batch give what one process gives."""

import json

import numpy as np
import pytest
import torch.distributed as dist
import torch.multiprocessing as mp

from hqm_mmdet.evaluation import HICODetMetric, HOIAMetric, HOIBoxMetric
from tests.evaluation.cases import random_images
from tests.evaluation.samples import make_sample, run

METRICS = (HICODetMetric, HOIAMetric, HOIBoxMetric)
NUM_IMAGES = 7
SHARES = ([0, 2, 4, 6], [1, 3, 5, 0])  # image 0 is seen by both


def samples():
    gts, preds = random_images(np.random.default_rng(4), num_images=NUM_IMAGES)
    return [make_sample(gt, pred, i) for i, (gt, pred) in enumerate(zip(gts, preds, strict=True))]


def one_process(rank, folder):
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    mine = [samples()[i] for i in SHARES[rank]]
    found = [run(kind(), mine, size=NUM_IMAGES) for kind in METRICS]
    with open(f"{folder}/{rank}.json", "w") as file:
        json.dump(found, file)
    dist.destroy_process_group()


def test_two_processes_equal_one(tmp_path):
    mp.spawn(one_process, (str(tmp_path),), nprocs=2)
    alone = [run(kind(), samples()) for kind in METRICS]
    for rank in (0, 1):
        found = json.loads((tmp_path / f"{rank}.json").read_text())
        for ours, theirs in zip(found, alone, strict=True):
            assert ours == pytest.approx(theirs, abs=1e-12, nan_ok=True)
    assert 0 < alone[0]["hico/full"] < 1
