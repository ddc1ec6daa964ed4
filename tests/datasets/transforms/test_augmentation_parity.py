"""Boxes after crop, flip and resize, as UPT's and PViC's code computes them."""

import numpy as np
import pytest
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope

from tests.models.reference import load_json

pytestmark = pytest.mark.parity


@pytest.fixture(scope="module")
def given(reference_dir):
    return load_json(reference_dir, "upt", "augmentation.json")


def after(given, rows, *transforms):
    """Sample of an image whose k-th pair, of boxes of its own, has verb ``rows[k]``."""
    width, height = given["image_size_wh"]
    boxes = [given[f"boxes_{who}"][row] for row in rows for who in "ho"]
    results = dict(
        img=np.zeros((height, width, 3), np.uint8),
        img_shape=(height, width),
        ori_shape=(height, width),
        img_path="image.png",
        img_id=0,
        instances=[dict(bbox=box, bbox_label=0, ignore_flag=0) for box in boxes],
        pairs=[(2 * k, 2 * k + 1, [row]) for k, row in enumerate(rows)],
        num_classes=1,
        num_verbs=len(given["boxes_h"]),
        strict=True,
    )
    with DefaultScope.overwrite_default_scope("hqm_mmdet"):
        pipeline = Compose([dict(type="LoadHOIAnnotations"), *transforms, dict(type="PackHOIInputs")])
    sample = pipeline(results)["data_samples"]
    pairs = sample.gt_pairs
    rows = pairs.verb_labels.nonzero()[:, 1].tolist()
    boxes = {row: (sub, obj) for row, sub, obj in zip(rows, pairs.sub_bboxes, pairs.obj_bboxes, strict=True)}
    return boxes, sample.img_shape


def agree(ours, theirs, rows):
    for k, row in enumerate(rows):
        for box, who in zip(ours[row], "ho", strict=True):
            np.testing.assert_allclose(box.numpy(), theirs[f"boxes_{who}"][k], rtol=0, atol=1e-4)


@pytest.mark.parametrize("number", range(3))
def test_crops(given, number, monkeypatch):
    """Pairs stay if both boxes are visible. The official filter loses some of them, and keeps a person without area."""
    crop = given["crops"][number]
    top, left, height, width = crop["top_left_height_width"]
    # The image as it is, so sizes count in its own pixels.
    transform = dict(
        type="RandomCropAtScale",
        scales=[tuple(reversed(given["image_size_wh"]))],
        crop_type="absolute",
        crop_size=(width, height),
        allow_negative_crop=True,
    )
    drawn = iter((0, top, left))  # the scale, then the corner
    monkeypatch.setattr(np.random, "randint", lambda *limits: next(drawn))
    found, shape = after(given, range(len(given["boxes_h"])), transform)
    assert shape == (height, width) and list(found) == crop["kept_if_both_boxes_have_area"]
    common = [k for k, row in enumerate(crop["kept"]) if row in found]
    assert len(common) >= len(crop["kept"]) - 1
    theirs = {name: [crop[name][k] for k in common] for name in ("boxes_h", "boxes_o")}
    agree(found, theirs, [crop["kept"][k] for k in common])


def test_flip(given):
    rows = range(len(given["hflip"]["boxes_h"]))
    agree(after(given, rows, dict(type="RandomFlip", prob=1.0))[0], given["hflip"], rows)


def test_resize(given):
    """Relative boxes are the same; the longer side is rounded, officially cut off."""
    theirs = given["resize_512_normalised"]
    rows = range(len(theirs["boxes_h"]))
    found, shape = after(given, rows, dict(type="AntialiasedResize", scale=(512, 1333), keep_ratio=True))
    assert shape[0] == theirs["size_hw"][0] and 0 <= shape[1] - theirs["size_hw"][1] <= 1
    for k, row in enumerate(rows):
        for box, who in zip(found[row], "ho", strict=True):
            box = box.numpy() / np.array([*shape[::-1]] * 2)
            centre, sides = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
            np.testing.assert_allclose([*centre, *sides], theirs[f"boxes_{who}"][k], rtol=0, atol=1e-6)
