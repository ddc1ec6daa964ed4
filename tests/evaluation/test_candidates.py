import numpy as np
import pytest

from hqm_mmdet.evaluation.functional import (
    TripletCoder,
    ground_truth_table,
    prediction_table,
    select_candidates,
    stable_top_k,
    verb_mask_by_object,
)

CODER = TripletCoder(num_objects=4, num_verbs=3)


@pytest.mark.parametrize("k", [1, 100, 1500, 1999, 2000, 2001, None])
@pytest.mark.parametrize("levels", [1, 3, 50, 10**6])
def test_top_k_equals_a_stable_sort(k, levels):
    scores = np.random.default_rng(levels).integers(0, levels, 2000).astype(np.float32)
    assert stable_top_k(scores, k).tolist() == np.argsort(-scores, kind="stable")[:k].tolist()


def test_candidates_are_pair_major_and_masked_without_touching_the_input():
    scores = np.array([[0.5, 0.5, 0.9], [0.5, 0.2, 0.9]], dtype=np.float32)
    before = scores.copy()
    mask = verb_mask_by_object(np.array([[1, 1, 1, 1], [1, 1, 1, 1], [1, 0, 1, 1]]), 4)
    pair, verb, score = select_candidates(scores, np.array([0, 1]), mask, top_k=4)
    assert list(zip(pair, verb, strict=True)) == [(0, 2), (0, 0), (0, 1), (1, 0)]
    assert score.dtype == np.float32 and score.tolist() == pytest.approx([0.9, 0.5, 0.5, 0.5])
    assert (scores == before).all()


def test_forbidden_candidates_stay_with_score_zero():
    mask = verb_mask_by_object(np.zeros((3, 4)), 4)
    pair, verb, score = select_candidates(np.full((1, 3), 0.7), np.array([2]), mask)
    assert (pair.tolist(), verb.tolist(), score.tolist()) == ([0, 0, 0], [0, 1, 2], [0, 0, 0])


def test_negative_scores_are_refused_where_zero_would_outrank_them():
    mask = verb_mask_by_object(np.array([[1, 1, 1, 1], [1, 1, 1, 1], [1, 0, 1, 1]]), 4)
    scores = np.array([[-3, -1, -2.0]])
    assert select_candidates(scores, np.array([0]), mask)[1].tolist() == [1, 2, 0]
    with pytest.raises(ValueError, match="image 'a': score -3.0 for pair 0, verb 0 is negative, and impossible"):
        select_candidates(scores, np.array([1]), mask, image="a")
    scores[0, 2] = np.nan  # not predicted: nothing that could outrank
    assert select_candidates(scores, np.array([1]), mask, partial=True)[1].tolist() == [1, 0]


def test_absent_object_allows_every_verb():
    mask = verb_mask_by_object(np.zeros((3, 4)), 4)
    assert mask.shape == (5, 3) and mask[4].tolist() == [1, 1, 1] and not mask[:4].any()
    assert not verb_mask_by_object(np.zeros((3, 5)), 4).any()


def test_mask_of_another_data_set_is_refused():
    with pytest.raises(ValueError, match="transposed"):
        verb_mask_by_object(np.zeros((4, 3)), 4)


def predict(boxes=((0, 0, 9, 9),), labels=(1,), scores=((0.1, 0.2, 0.3),), **kwargs):
    boxes = np.array(boxes, dtype=float)
    return prediction_table(boxes, boxes, np.array(labels), np.array(scores), CODER, image="a.jpg", **kwargs)


def test_prediction_table():
    table = predict(top_k=2)
    assert [c.tolist() for c in CODER.decode(table.classes)] == [[0, 0], [1, 1], [2, 1]]
    assert table.sub_boxes.dtype == table.scores.dtype == np.float32
    assert table.image.tolist() == [0, 0]


def test_no_pairs_give_an_empty_table():
    assert len(prediction_table([], [], [], [], CODER)) == 0
    assert len(prediction_table([], [], [], np.zeros((0, 3)), CODER, verb_mask_by_object(np.ones((3, 4)), 4))) == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_non_finite_scores_name_the_image(bad):
    with pytest.raises(ValueError, match=r"'a\.jpg'.*pair 0, verb 1"):
        predict(scores=[[0.1, bad, 0.3]])


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        (dict(boxes=[[0, 0, np.nan, 9]]), "finite"),
        (dict(boxes=[[0, 0, 9, 9, 0.5]] * 4), r"shape \(4, 5\)"),
        (dict(labels=[5]), "label 5"),
        (dict(labels=[-1]), "label -1"),
        (dict(scores=[[0.1, 0.2]]), "2 verb scores"),
        (dict(labels=[1, 1]), "1 boxes for 2 labels"),
        (dict(scores=[[0.1, 0.2, 0.3]] * 2), "pairs x verbs"),
        (dict(verb_mask=np.ones((5, 2), np.float32)), "mask has 2 verbs"),
        (dict(labels=[4], verb_mask=np.ones((4, 3), np.float32)), "object labels reach"),
    ],
)
def test_unfit_predictions_name_the_image(kwargs, message):
    with pytest.raises(ValueError, match=rf"'a\.jpg'.*{message}"):
        predict(**kwargs)


def test_partial_scores_are_no_candidates_where_nan():
    scores = np.array([[np.nan, 0.2, np.nan], [0.3, np.nan, 0.0]])
    mask = verb_mask_by_object(np.array([[1, 1, 0, 1], [1, 1, 1, 1], [1, 1, 1, 1]]), 4)
    for top_k, expected in ((None, [(0, 1, 0.2), (1, 0, 0.0), (1, 2, 0.0)]), (1, [(0, 1, 0.2)])):
        found = select_candidates(scores, np.array([1, 2]), mask, top_k, partial=True)
        assert [(p, v, pytest.approx(s)) for p, v, s in zip(*found, strict=True)] == expected
    nothing = select_candidates(np.full((2, 3), np.nan), np.array([1, 2]), mask, partial=True)
    assert [len(column) for column in nothing] == [0, 0, 0]
    with pytest.raises(ValueError, match="score inf for pair 0, verb 1"):
        select_candidates(np.array([[np.nan, np.inf, 0]]), np.array([1]), partial=True)


def test_ground_truth_table():
    boxes = np.array([[1, 2, 3, 4], [5, 6, 7, 8]])
    table = ground_truth_table(boxes, [0, 2], [[0, 1, 2], [0, -1, 1]], CODER)
    assert [c.tolist() for c in CODER.decode(table.classes)] == [[0, 0], [2, 4], [2, 1]]
    assert table.obj_boxes.tolist() == [[5, 6, 7, 8], [0, 0, 0, 0]] and table.obj_boxes.dtype == np.float64
    assert len(ground_truth_table([], [], [], CODER)) == 0


@pytest.mark.parametrize("hoi", [[2, 1, 0], [-1, 1, 0], [0, 2, 0], [0, -2, 0], [0, 1, 3], [0, 1, -1]])
def test_ground_truth_out_of_range_names_image_and_entry(hoi):
    with pytest.raises(ValueError, match=r"'a\.jpg': HOI 1"):
        ground_truth_table(np.zeros((2, 4)), [0, 1], [[0, 1, 0], hoi], CODER, image="a.jpg")


def test_ground_truth_rows_of_other_length_are_refused():
    with pytest.raises(ValueError, match=r"hois must be rows of 3 numbers, got the shape \(3, 4\)"):
        ground_truth_table(np.zeros((2, 4)), [0, 1], np.zeros((3, 4), int), CODER)


def test_ground_truth_label_out_of_range():
    with pytest.raises(ValueError, match="label 4 of entry 1"):
        ground_truth_table(np.zeros((2, 4)), [0, 4], [], CODER)
