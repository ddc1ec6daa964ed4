"""What planned ToyHOI scenes contain, counted over many images."""

from collections import Counter

import numpy as np
import pytest

from hqm_mmdet.datasets.toy import TOY_CLASSES, TOY_VALID, TOY_VERBS, ToySettings
from hqm_mmdet.datasets.toy.scene import Scene, sample_scene
from hqm_mmdet.datasets.toy.shapes import overlap
from hqm_mmdet.datasets.toy.vocabulary import TOY_TRIPLETS


def plan(split, number, settings=None) -> list[Scene]:
    return [sample_scene(settings or ToySettings(), split, index)[0] for index in range(number)]


@pytest.fixture(scope="module")
def scenes():
    return plan("train", 250)


def verbs_by_pair(scene: Scene) -> dict[tuple[int, int], set[str]]:
    verbs: dict[tuple[int, int], set[str]] = {}
    for subject, target, verb in scene.pairs:
        verbs.setdefault((subject, target), set()).add(verb)
    return verbs


def count_triplets(scenes) -> Counter:
    return Counter(
        (verb, None if target < 0 else TOY_CLASSES[scene.figures[target].label])
        for scene in scenes
        for _, target, verb in scene.pairs
    )


def test_pairs_are_valid(scenes):
    for scene in scenes:
        assert len(set(scene.pairs)) == len(scene.pairs)
        for subject, target, verb in scene.pairs:
            assert scene.figures[subject].label == 0 and subject != target
            if target < 0:
                assert verb == "wave"
            else:
                assert TOY_VALID[TOY_VERBS.index(verb), scene.figures[target].label]


def test_several_verbs_per_pair(scenes):
    together = Counter(frozenset(v) for scene in scenes for v in verbs_by_pair(scene).values())
    assert together[frozenset({"ride", "sit_on"})] > 5
    assert together[frozenset({"drink_from", "hold"})] > 5
    assert together[frozenset({"sit_on"})] > 5
    assert together[frozenset({"hold"})] > 5


def test_images_differ_in_the_number_of_pairs(scenes):
    numbers = Counter(len(verbs_by_pair(scene)) for scene in scenes)
    assert 0.02 < numbers[0] / len(scenes) < 0.2
    assert {0, 1, 2, 3} <= numbers.keys()


def test_one_person_acts_on_two_objects_and_two_persons_on_one(scenes):
    pairs = [key for scene in scenes for key in verbs_by_pair(scene) if key[1] >= 0]
    assert pairs
    busy = shared = 0
    for scene in scenes:
        pairs = [key for key in verbs_by_pair(scene) if key[1] >= 0]
        busy += max(Counter(subject for subject, _ in pairs).values(), default=0) > 1
        shared += max(Counter(target for _, target in pairs).values(), default=0) > 1
    assert busy > 20 and shared > 20


def test_distractors_stand_close(scenes):
    idle_persons = idle_props = close = 0
    for scene in scenes:
        used = {index for subject, target, _ in scene.pairs for index in (subject, target)}
        idle = [figure for index, figure in enumerate(scene.figures) if index not in used]
        idle_persons += sum(figure.label == 0 for figure in idle)
        idle_props += sum(figure.label > 0 for figure in idle)
        close += sum(is_close(figure, other) for figure in idle for other in scene.figures)
    assert idle_persons > 80 and idle_props > 130 and close > 80


def is_close(figure, other) -> bool:
    """Whether one is beside the other with a gap below a third of the other's height."""
    if figure is other:
        return False
    a, b = figure.extent, other.extent
    gap = max(a[0] - b[2], b[0] - a[2])
    return 0 <= gap < (b[3] - b[1]) / 3 and min(a[3], b[3]) > max(a[1], b[1])


def test_idle_figures_hardly_overlap_others(scenes):
    for scene in scenes:
        used = {index for subject, target, _ in scene.pairs for index in (subject, target)}
        for index, figure in enumerate(scene.figures):
            others = [o for i, o in enumerate(scene.figures) if i != index]
            if index not in used:
                assert all(overlap(figure.extent, other.extent) < 0.25 for other in others)


def test_everything_lies_in_the_image(scenes):
    for scene in scenes:
        for figure in scene.figures:
            x1, y1, x2, y2 = figure.extent
            assert x1 > -1 and y1 > -1 and x2 < scene.width + 1 and y2 < scene.height + 1


def test_persons_have_a_learnable_size(scenes):
    heights = np.array(
        [
            (figure.extent[3] - figure.extent[1]) / min(scene.height, scene.width)
            for scene in scenes
            for figure in scene.figures
            if figure.label == 0
        ]
    )
    assert ((heights > 0.3) & (heights < 0.7)).mean() > 0.96  # of the shorter image side


def test_long_tail():
    train = count_triplets(plan("train", ToySettings.num_train))
    test = count_triplets(plan("test", ToySettings.num_test))
    assert set(train) == set(test) == set(TOY_TRIPLETS)
    rare = [triplet for triplet, number in train.items() if number < 10]
    assert 3 <= len(rare) <= 10
    assert max(train.values()) > 30 * min(train.values())
    assert min(test.values()) >= 3


def mean_place(split, settings) -> np.ndarray:
    """Mean centre of the subjects, relative to the image."""
    return np.mean(
        [
            (scene.figures[subject].extent[:2] + scene.figures[subject].extent[2:])
            / (2 * scene.width, 2 * scene.height)
            for scene in plan(split, 150, settings)
            for subject, *_ in scene.pairs
        ],
        axis=0,
    )


def test_position_shift():
    even_train, even_test = (mean_place(split, ToySettings()) for split in ("train", "test"))
    assert np.abs(even_train - even_test).max() < 0.07
    settings = ToySettings(position_shift=True)
    (x_train, y_train), (x_test, y_test) = (mean_place(s, settings) for s in ("train", "test"))
    assert x_test - x_train > 0.2 and y_train - y_test > 0.2


@pytest.mark.parametrize(("split", "index"), [("val", 0), ("train", -1)])
def test_wrong_arguments(split, index):
    with pytest.raises(ValueError, match="expected a split"):
        sample_scene(ToySettings(), split, index)
