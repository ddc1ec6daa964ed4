"""What is shown of a model's predictions."""

import pytest
import torch

from hqm_mmdet.structures import new_pairs
from hqm_mmdet.visualization import TripletSelection
from hqm_mmdet.visualization.selection import SelectionError

META = dict(
    classes=("person", "cup", "dining_table"),
    verbs=("hold", "drink_from", "wave"),
    valid_pairs=[[0, 1, 1], [0, 1, 0], [0, 0, 0]],
)


def pairs():
    boxes = torch.arange(12.0).view(3, 4)
    scores = torch.tensor([[0.5, 0.9, 0.8], [0.6, 0.7, 0.1], [0.2, 0.2, 0.4]])
    return new_pairs(boxes, boxes + 1, torch.tensor([1, 2, 3]), verb_scores=scores)


def shown(**options):
    return [(pair.index, pair.verbs) for pair in TripletSelection(**options)(pairs(), META)]


def test_threshold_best_first_impossible_combinations_left_out():
    assert shown(score_thr=0.3) == [(0, (1, 0)), (1, (0,)), (2, (2,))]
    assert shown(score_thr=0.55) == [(0, (1,)), (1, (0,))]
    assert shown(score_thr=0.95) == []


def test_top_k_counts_triplets():
    assert shown(top_k=2) == [(0, (1,)), (1, (0,))]
    assert shown(top_k=99) == shown()


def test_verbs_and_triplets_add_up():
    assert shown(verbs=("hold",)) == [(1, (0,)), (0, (0,))]
    assert shown(triplets=("drink from:cup",)) == [(0, (1,))]
    assert shown(verbs=("wave",), triplets=("hold:dining table",)) == [(1, (0,)), (2, (2,))]
    assert shown(triplets=("wave:nothing",)) == [(2, (2,))]


def test_objects_narrow_what_verbs_name():
    assert shown(objects=("cup",)) == [(0, (1, 0))]
    assert shown(objects=("dining table", "nothing")) == [(1, (0,)), (2, (2,))]
    assert shown(objects=("cup",), verbs=("hold",)) == [(0, (0,))]
    assert shown(objects=("cup",), verbs=("wave",)) == []


def test_max_pairs_keeps_all_verbs_of_the_best_pairs():
    assert shown(max_pairs=1) == [(0, (1, 0))]
    assert shown(max_pairs=99) == shown()
    assert shown(max_pairs=1, verbs=("hold",)) == [(1, (0,))]


def test_fields_of_a_shown_pair():
    first, *_, last = TripletSelection()(pairs(), META)
    assert first.sub_box == (0, 1, 2, 3) and first.obj_box == (1, 2, 3, 4) and first.obj_label == 1
    assert first.scores == pytest.approx((0.9, 0.5))
    assert last.obj_box is None and last.obj_label is None


def test_no_pairs():
    assert TripletSelection()(pairs()[:0], META) == []
    assert TripletSelection(top_k=1)(pairs()[:0], META) == []


@pytest.mark.parametrize(
    "options, message",
    (
        (dict(verbs=("holt",)), "'holt' is no verb.*hold"),
        (dict(triplets=("hold:cupp",)), "'cupp' is no object.*cup"),
        (dict(objects=("cupp",)), "'cupp' is no object.*cup"),
        (dict(triplets=("hold cup",)), "expected verb:object"),
    ),
)
def test_unknown_names_are_named_with_close_ones(options, message):
    with pytest.raises(SelectionError, match=message):
        TripletSelection(**options)(pairs(), META)


@pytest.mark.parametrize("name", ("top_k", "max_pairs"))
def test_limits_must_be_positive(name):
    with pytest.raises(SelectionError, match=f"{name} must be at least 1, got 0"):
        TripletSelection(**{name: 0})


def test_nan_is_no_threshold():
    with pytest.raises(SelectionError, match="score_thr is NaN"):
        TripletSelection(float("nan"))
