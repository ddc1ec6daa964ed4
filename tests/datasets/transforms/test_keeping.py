"""KeepInMemory: the same results as without it, and nobody spoils what is kept."""

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope

from hqm_mmdet.datasets import ToyHOIDataset
from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi
from hqm_mmdet.datasets.transforms import KeepInMemory

init_default_scope("hqm_mmdet")

READING = [
    dict(type="LoadHOIImage"),
    dict(type="LoadHOIAnnotations", with_bbox=True),
    dict(type="Resize", scale=(96, 96), keep_ratio=False),
]
LATER = [dict(type="RandomFlip", prob=0.5), dict(type="PackHOIInputs")]


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return make_toy_hoi(tmp_path_factory.mktemp("toy"), ToySettings(num_train=6, num_test=1), progress=False)


def dataset(toy, pipeline):
    settings = dict(ann_file="annotations/trainval_toy.json", data_prefix=dict(img="images/train/"), seed=3)
    return ToyHOIDataset(data_root=f"{toy}/", pipeline=pipeline, **settings)


def test_epochs_equal_those_without_keeping(toy):
    kept = dataset(toy, [dict(type="KeepInMemory", transforms=READING), *LATER])
    plain = dataset(toy, [*READING, *LATER])
    flipped = set()
    for epoch in range(6):
        for each in (kept, plain):
            each.set_epoch(epoch)
        for i in range(len(plain)):
            one, other = kept[i], plain[i]
            assert torch.equal(one["inputs"], other["inputs"])
            for field in ("sub_bboxes", "obj_bboxes", "obj_labels", "verb_labels"):
                assert torch.equal(one["data_samples"].gt_pairs[field], other["data_samples"].gt_pairs[field])
            assert torch.equal(*(each["data_samples"].gt_instances.bboxes.tensor for each in (one, other)))
            flipped.add(one["data_samples"].flip)
    assert flipped == {True, False}


def test_what_comes_later_writes_into_a_copy(toy):
    transform = KeepInMemory(READING)
    info = dataset(toy, []).get_data_info(0)
    first = transform(dict(info))
    first["img"][:] = 0
    first["gt_bboxes"].translate_([5, 5])
    second = transform(dict(info))
    assert second["img"].any() and not np.allclose(first["gt_bboxes"].tensor, second["gt_bboxes"].tensor)


def test_an_image_is_read_once(toy, monkeypatch):
    transform = KeepInMemory(READING)
    info = dataset(toy, []).get_data_info(0)
    transform(dict(info))
    monkeypatch.setattr(transform, "transforms", None)  # a second reading would fail
    assert transform(dict(info))["img"].shape == (96, 96, 3)
