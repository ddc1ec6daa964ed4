"""Two processes whose sampler repeats an image to fill the last batch give what one process gives."""

import json

import numpy as np
import pytest
import torch.distributed as dist
import torch.multiprocessing as mp

from hqm_mmdet.evaluation import HICODetMetric, HOIAMetric, HOIBoxMetric, VCOCOMetric
from tests.evaluation import test_vcoco_metric as vcoco
from tests.evaluation.cases import random_images
from tests.evaluation.samples import META, make_sample, run

METRICS = (HICODetMetric, HOIAMetric, HOIBoxMetric, VCOCOMetric)
NUM_IMAGES = 7
SHARES = ([0, 2, 4, 6], [1, 3, 5, 0])  # image 0 is seen by both


def samples(kind):
    if kind is VCOCOMetric:
        images, rng = vcoco.official_images(3, NUM_IMAGES), np.random.default_rng(3)
        return [
            vcoco.make_sample(i, vcoco.predicted_pairs(rng, image, 12), vcoco.hoia_truth(image))
            for i, image in enumerate(images)
        ]
    gts, preds = random_images(np.random.default_rng(4), num_images=NUM_IMAGES)
    return [make_sample(gt, pred, i) for i, (gt, pred) in enumerate(zip(gts, preds, strict=True))]


def meta_of(kind):
    return vcoco.META if kind is VCOCOMetric else META


def one_process(rank, folder):
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    found = [
        run(kind(), [samples(kind)[i] for i in SHARES[rank]], size=NUM_IMAGES, meta=meta_of(kind)) for kind in METRICS
    ]
    with open(f"{folder}/{rank}.json", "w") as file:
        json.dump(found, file)
    dist.destroy_process_group()


def test_two_processes_equal_one(tmp_path):
    mp.spawn(one_process, (str(tmp_path),), nprocs=2)
    alone = [run(kind(), samples(kind), meta=meta_of(kind)) for kind in METRICS]
    for rank in (0, 1):
        found = json.loads((tmp_path / f"{rank}.json").read_text())
        for ours, theirs in zip(found, alone, strict=True):
            assert ours == pytest.approx(theirs, abs=1e-12, nan_ok=True)
    assert 0 < alone[0]["hico/full"] < 1
    assert 0 < alone[-1]["vcoco/role_s2"] < 1
