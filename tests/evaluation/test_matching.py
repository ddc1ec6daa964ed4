import numpy as np
import pytest

from hqm_mmdet.evaluation.functional import (
    PROTOCOLS,
    QPIC,
    TripletTable,
    aligned_iou,
    match_triplets,
    stack_images,
)
from tests.evaluation import oracle
from tests.evaluation.cases import CODER, random_images, tables


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_iou_equals_loop(protocol):
    rng = np.random.default_rng(0)
    # small integers: identical, touching, one-pixel, inverted and empty boxes all occur
    boxes1, boxes2 = rng.integers(0, 6, (2, 2000, 4)).astype(float)
    expected = [oracle.iou(a, b, protocol) for a, b in zip(boxes1, boxes2, strict=True)]
    np.testing.assert_array_equal(aligned_iou(boxes1, boxes2, protocol), expected)


def test_iou_of_thin_boxes_depends_on_the_protocol():
    box = np.array([[5.0, 5, 5, 15]])
    assert aligned_iou(box, box, QPIC).tolist() == [0]
    assert aligned_iou(box, box, PROTOCOLS["matlab"]).tolist() == [1]


def triplets(rows, scored):
    """[(image, class, subject box, object box)] -> table."""
    columns = list(zip(*rows, strict=True)) or [[], [], [], []]
    boxes = [np.array(c, dtype=float).reshape(-1, 4) for c in columns[2:]]
    scores = np.linspace(1, 0.5, len(rows), dtype=np.float32) if scored else None
    return TripletTable(np.array(columns[0], int), np.array(columns[1], int), *boxes, scores)


A, B, FAR = (0, 0, 99, 99), (20, 0, 119, 99), (500, 500, 599, 599)


@pytest.mark.parametrize(
    ("preds", "expected"),
    [
        ([(0, 7, A, A)], [1]),
        ([(0, 7, A, FAR)], [0]),
        ([(0, 7, FAR, A)], [0]),
        ([(0, 8, A, A)], [0]),
        ([(1, 7, A, A)], [0]),
        ([(0, 7, A, A), (0, 7, A, A)], [1, 0]),
        ([], []),
    ],
)
def test_match_needs_image_class_and_both_boxes(preds, expected):
    gts = triplets([(0, 7, A, A), (1, 8, A, A)], scored=False)
    assert match_triplets(triplets(preds, scored=True), gts, CODER).tolist() == expected


def test_no_second_choice_when_the_best_is_taken():
    gts = triplets([(0, 7, A, A), (0, 7, B, A)], scored=False)
    near_a = (5, 0, 104, 99)
    preds = triplets([(0, 7, A, A), (0, 7, near_a, A)], scored=True)
    assert match_triplets(preds, gts, CODER).tolist() == [True, False]


def test_first_ground_truth_wins_ties_so_repetitions_are_never_found():
    gts = triplets([(0, 7, A, A), (0, 7, A, A)], scored=False)
    preds = triplets([(0, 7, A, A)] * 3, scored=True)
    assert match_triplets(preds, gts, CODER).tolist() == [True, False, False]


def test_absent_object_matches_by_subject_alone():
    no_object = int(CODER.encode(0, CODER.absent_object_label, 1))
    gts = triplets([(0, no_object, A, (0, 0, 0, 0))], scored=False)
    preds = triplets([(0, no_object, FAR, (0, 0, 0, 0)), (0, no_object, A, FAR)], scored=True)
    assert match_triplets(preds, gts, CODER).tolist() == [False, True]


def test_empty_tables():
    empty = triplets([], scored=True)
    assert match_triplets(empty, empty, CODER).tolist() == []
    assert match_triplets(triplets([(0, 7, A, A)], True), empty, CODER).tolist() == [False]


@pytest.mark.parametrize("seed", range(20))
def test_each_ground_truth_is_found_at_most_once(seed):
    preds, gts, _ = tables(*random_images(np.random.default_rng(seed)))
    is_tp = match_triplets(preds, gts, CODER)
    found = list(zip(preds.image[is_tp], preds.classes[is_tp], strict=True))
    known = list(zip(gts.image, gts.classes, strict=True))
    assert all(found.count(key) <= known.count(key) for key in found)


def test_table_defends_itself():
    with pytest.raises(ValueError, match="sub_boxes must have the shape"):
        TripletTable(np.zeros(2), np.zeros(2), np.zeros((1, 4)), np.zeros((2, 4)))


def test_stacking_counts_images_and_keeps_rows():
    one, none = triplets([(0, 7, A, B), (0, 8, B, A)], True), triplets([], True)
    stacked = stack_images([none, one, none, one], scored=True)
    assert stacked.image.tolist() == [1, 1, 3, 3]
    assert stacked[stacked.image == 3].sub_boxes.tolist() == one.sub_boxes.tolist()
    assert len(stack_images([], scored=True)) == len(stack_images([], scored=False)) == 0


def test_coder_round_trip():
    labels = np.random.default_rng(0).integers(0, [4, 5, 3], (50, 3))
    classes = CODER.encode(*labels.T)
    assert np.stack(CODER.decode(classes), 1).tolist() == labels.tolist()
    assert len(np.unique(classes)) == len(np.unique(labels, axis=0))
