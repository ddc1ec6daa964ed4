"""Whatever mmdet's transforms do to an image, the boxes of a pair still cover the same content.

Each box of the test image is filled with a colour of its own, and each pair has verbs of its own, so the result shows
where every box went and which pairs are left.
"""

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope

from tests.conftest import REPOSITORY
from tests.datasets.tiny_hoi import COLOURS, PAINTED_PAIRS, painted_results

LOAD, PACK = dict(type="LoadHOIAnnotations"), dict(type="PackHOIInputs")
RESIZES = [
    dict(type="Resize", scale_factor=(0.7, 1.3)),
    dict(type="Resize", scale=(500, 300), keep_ratio=True, backend="pillow"),
    dict(type="RandomChoiceResize", scales=[(300, 900), (500, 900)], keep_ratio=True),
    dict(type="RandomResize", scale=(640, 480), ratio_range=(0.5, 1.5), keep_ratio=True),
]
FLIPS = [
    dict(type="RandomFlip", prob=0.5),
    dict(type="RandomFlip", prob=[0.3, 0.3, 0.3], direction=["horizontal", "vertical", "diagonal"]),
]
CROPS = [
    dict(type="RandomCrop", crop_type="absolute_range", crop_size=(100, 400), allow_negative_crop=True),
    dict(type="RandomCrop", crop_type="relative_range", crop_size=(0.2, 0.3), allow_negative_crop=True),
    dict(
        type="RandomCropAtScale",
        scales=[(240, 900), (300, 900)],
        crop_type="absolute_range",
        crop_size=(100, 400),
        allow_negative_crop=True,
    ),
]


def build(pipeline):
    with DefaultScope.overwrite_default_scope("hqm_mmdet"):
        return Compose(pipeline)


def config_pipeline():
    """The training augmentation of the HICO-DET config, without image loading and colour jitter."""
    config = Config.fromfile(REPOSITORY / "configs/_base_/datasets/hico_det.py")
    return [step for step in config.train_pipeline if step["type"] not in ("LoadHOIImage", "ColorJitter")]


def painted_area(image, colour):
    """Tight box around what has the colour (unmixed), or None."""
    rows, columns = np.nonzero((np.abs(image - np.array(colour)) < 30).all(-1))
    return None if not len(rows) else np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


def check(packed):
    """Every surviving pair covers its colours; a pair is gone exactly if one of its boxes is out of sight."""
    image = packed["inputs"].permute(1, 2, 0).numpy().astype(int)
    pairs = packed["data_samples"].gt_pairs
    left = {int(verbs.nonzero()[0]): k for k, verbs in enumerate(pairs.verb_labels)}
    for subject, obj, verbs in PAINTED_PAIRS:
        boxes = [i for i in (subject, obj) if i >= 0]
        areas = [painted_area(image, COLOURS[i]) for i in boxes]
        k = left.pop(verbs[0], None)
        if k is None:
            # a strip thinner than the mixed colours at its edges may be left of a box that was kept, never more
            assert any(area is None or (area[2:] - area[:2]).min() <= 3 for area in areas)
            continue
        assert pairs.verb_labels[k].nonzero().flatten().tolist() == verbs
        assert_covers(pairs.sub_bboxes[k], areas[0], image.shape)
        if obj < 0:
            assert pairs.obj_bboxes[k].tolist() == [0, 0, 0, 0] and pairs.obj_labels[k] == len(COLOURS)
        else:
            assert pairs.obj_labels[k] == obj
            assert_covers(pairs.obj_bboxes[k], areas[1], image.shape)
    assert not left
    return len(pairs)


def assert_covers(box, area, shape):
    box = box.numpy()
    assert (box[:2] >= 0).all() and box[2] <= shape[1] and box[3] <= shape[0] and (box[2:] > box[:2]).all()
    if area is None:
        assert (box[2:] - box[:2]).min() <= 4  # nothing but mixed edge colours
    else:
        assert np.abs(box - area).max() <= 4


def run(pipeline, times):
    pipeline = build(pipeline)
    counts = []
    for seed in range(times):
        np.random.seed(seed)
        counts.append(check(pipeline(painted_results())))
    return counts


def test_nothing_between_loading_and_packing():
    assert run([LOAD, PACK], 1) == [len(PAINTED_PAIRS)]


def test_augmentation_of_the_config():
    counts = run(config_pipeline(), 40)
    assert max(counts) == len(PAINTED_PAIRS) and min(counts) < len(PAINTED_PAIRS)  # crops did cut pairs away


@pytest.mark.parametrize("seed", range(12))
def test_any_chain(seed):
    generator = np.random.default_rng(seed)
    steps = [*RESIZES, *FLIPS, *CROPS]
    chain = [steps[i] for i in generator.choice(len(steps), size=generator.integers(1, 5))]
    assert len(run([LOAD, *chain, PACK], 8)) == 8


def test_crop_that_leaves_nothing():
    tiny_crop = dict(type="RandomCrop", crop_type="absolute", crop_size=(5, 5), allow_negative_crop=True)
    counts = run([LOAD, tiny_crop, PACK], 20)
    assert 0 in counts


@pytest.mark.parametrize("direction, signs", [("horizontal", (-1, 1)), ("vertical", (1, -1)), ("diagonal", (-1, -1))])
def test_flips_mirror_boxes(direction, signs):
    flip = dict(type="RandomFlip", prob=1.0, direction=direction)
    plain, flipped = (build([LOAD, *f, PACK])(painted_results())["data_samples"] for f in ([], [flip]))
    assert flipped.flip and flipped.flip_direction == direction
    centre = torch.tensor([320.0, 240.0])
    for name in ("sub_bboxes", "obj_bboxes"):
        before, after = plain.gt_pairs[name], flipped.gt_pairs[name]
        present = (before != 0).any(1)
        before, after = before[present].view(-1, 2, 2) - centre, after[present].view(-1, 2, 2) - centre
        torch.testing.assert_close((before * torch.tensor(signs)).sort(1)[0], after.sort(1)[0])


def test_colour_jitter_leaves_boxes_alone_and_changes_pixels():
    pipeline = build([LOAD, dict(type="ColorJitter"), PACK])
    images = []
    for seed in range(4):
        np.random.seed(seed)
        packed = pipeline(painted_results())
        images.append(packed["inputs"])
        plain = build([LOAD, PACK])(painted_results())["data_samples"]
        torch.testing.assert_close(packed["data_samples"].gt_pairs.sub_bboxes, plain.gt_pairs.sub_bboxes)
    assert images[0].dtype == torch.uint8
    assert any(not torch.equal(images[0], other) for other in images[1:])


def test_transforms_that_forget_the_ids_are_found_out():
    forgetful = dict(type="FilterAnnotations", min_gt_bbox_wh=(185, 1))
    with pytest.raises(ValueError, match="6 gt_instances_ids for 1 boxes"):
        build([LOAD, forgetful, PACK])(painted_results())
