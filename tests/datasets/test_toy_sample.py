"""Rendered ToyHOI images: reproducible, boxes tight, verbs visible in the boxes alone."""

import numpy as np
import pytest

from hqm_mmdet.datasets.toy import TOY_VERBS, ToySettings, sample_image
from hqm_mmdet.datasets.toy.draw import render
from hqm_mmdet.datasets.toy.scene import Scene, sample_scene


@pytest.fixture(scope="module")
def samples():
    return [sample_image(ToySettings(), "test", index) for index in range(150)]


def test_reproducible_in_any_order(samples):
    for index in (7, 3, 0):
        image, entry = sample_image(ToySettings(num_train=1, num_test=1), "test", index)
        assert np.array_equal(image, samples[index][0]) and entry == samples[index][1]


@pytest.mark.parametrize(
    ("settings", "split", "index"),
    [(ToySettings(seed=1), "test", 0), (ToySettings(), "train", 0), (ToySettings(), "test", 1)],
)
def test_seed_split_and_index_matter(samples, settings, split, index):
    assert sample_image(settings, split, index)[1]["annotations"] != samples[0][1]["annotations"]


def test_image_and_entry(samples):
    for index, (image, entry) in enumerate(samples):
        height, width, channels = image.shape
        assert image.dtype == np.uint8 and channels == 3
        assert all(ToySettings.min_size <= side <= ToySettings.max_size for side in (height, width))
        assert entry["file_name"] == f"toy_test_{index + 1:08d}.png"
        for x1, y1, x2, y2 in boxes_of(entry):
            assert 0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height


def test_sizes_follow_the_settings():
    image, _ = sample_image(ToySettings(min_size=224, max_size=224), "train", 0)
    assert image.shape == (224, 224, 3)


def test_ids(samples):
    seen = set()
    for _, entry in samples:
        number = len(entry["annotations"])
        assert all(type(a["category_id"]) is int for a in entry["annotations"])
        for hoi in entry["hoi_annotation"]:
            assert 0 <= hoi["subject_id"] < number and -1 <= hoi["object_id"] < number
            assert entry["annotations"][hoi["subject_id"]]["category_id"] == 1
            seen.add(hoi["category_id"])
    assert seen == set(range(1, len(TOY_VERBS) + 1))


def drawn_mask(scene: Scene, figures: list) -> np.ndarray:
    """Pixels (H, W) that change when figures are drawn over the same background."""
    empty = Scene(scene.height, scene.width, ground=scene.ground)
    full = Scene(scene.height, scene.width, figures, ground=scene.ground)
    images = [render(s, np.random.default_rng(0))[0].astype(int) for s in (empty, full)]
    return np.abs(images[0] - images[1]).max(2) > 8


def test_boxes_are_tight():
    for index in range(30):
        scene, _ = sample_scene(ToySettings(), "train", index)
        for figure in scene.figures:
            mask = drawn_mask(scene, [figure])
            _, [(x1, y1, x2, y2)] = render(Scene(scene.height, scene.width, [figure]), np.random.default_rng(0))
            assert mask[y1:y2, x1:x2].sum() == mask.sum() > 0
            for edge in (
                mask[y1 : y1 + 2],
                mask[y2 - 2 : y2],
                mask[:, x1 : x1 + 2],
                mask[:, x2 - 2 : x2],
            ):
                assert edge.any()


def test_little_is_hidden():
    shares = []
    for index in range(60):
        scene, rng = sample_scene(ToySettings(), "train", index)
        _, boxes = render(scene, rng)
        for box, figure in zip(boxes, scene.figures, strict=True):
            x1, y1, x2, y2 = figure.extent
            assert np.abs(box - figure.extent).max() < 0.35 * max(x2 - x1, y2 - y1)
            shares.append(np.prod(box[2:] - box[:2]) / ((x2 - x1) * (y2 - y1)))
    assert min(shares) > 0.6 and np.mean(np.array(shares) > 0.95) > 0.95


def boxes_of(entry: dict) -> list[list[int]]:
    return [annotation["bbox"] for annotation in entry["annotations"]]


# What a verb looks like in its boxes. Arguments: gap between the boxes in x (negative: overlap);
# top, middle and bottom of the object, all measured from the person's top in person box heights.
LOOKS = {
    "hold": lambda gap, top, middle, bottom: gap < 0 and middle < 0.7 and bottom < 0.98,
    "drink_from": lambda gap, top, middle, bottom: gap < 0 and middle < 0.35,
    "carry": lambda gap, top, middle, bottom: gap < 0 and bottom < 0.15,
    "throw": lambda gap, top, middle, bottom: gap > -0.2 and middle < 0.25,
    "kick": lambda gap, top, middle, bottom: -0.1 < gap < 0.1 and middle > 0.6,
    "push": lambda gap, top, middle, bottom: -0.7 < gap < 0.1 and bottom > 0.9 and top < 0.85,
    "point_at": lambda gap, top, middle, bottom: gap > 0.1 and bottom > 0.9,
    "sit_on": lambda gap, top, middle, bottom: gap < -0.1 and top > -0.1 and bottom > 0.9,
    "ride": lambda gap, top, middle, bottom: gap < -0.3 and middle > 0 and bottom > 0.95,
    "stand_on": lambda gap, top, middle, bottom: gap < -0.1 and top > 0.6 and bottom > 1.15,
}


def test_verbs_show_in_the_boxes(samples):
    seen = set()
    for _, entry in samples:
        boxes = boxes_of(entry)
        for hoi in entry["hoi_annotation"]:
            verb = TOY_VERBS[hoi["category_id"] - 1]
            if hoi["object_id"] < 0:
                continue
            sub, obj = boxes[hoi["subject_id"]], boxes[hoi["object_id"]]
            height = sub[3] - sub[1]
            gap = max(obj[0] - sub[2], sub[0] - obj[2]) / height
            top, bottom = (obj[1] - sub[1]) / height, (obj[3] - sub[1]) / height
            assert LOOKS[verb](gap, top, (top + bottom) / 2, bottom), (entry["file_name"], hoi)
            seen.add(verb)
    assert seen == set(LOOKS)
