import pytest
import torch

from hqm_mmdet.models.interactiveness import PairJitter, jittered_boxes
from hqm_mmdet.models.two_stage import JitteredPairs
from hqm_mmdet.structures import new_pairs
from tests.models.reference import load_json


@pytest.mark.parity
def test_jitter_is_the_official_one(reference_dir):
    for case in load_json(reference_dir, "tin", "box_jitter.json"):
        draws = torch.tensor([value for _, _, value in case["draws_low_high_value"]]).view(1, -1, 3)
        moved, accepted = jittered_boxes(torch.tensor([case["box"]]), draws, case["image_shape_hw"])
        assert len(draws[0]) == case["tries"]
        expected = torch.tensor(case["boxes"][1:], dtype=torch.float64)
        torch.testing.assert_close(moved[0][accepted[0]], expected, rtol=0, atol=1e-12)


@pytest.mark.parity
def test_draws_have_the_official_limits(reference_dir):
    for case in load_json(reference_dir, "tin", "box_jitter.json"):
        draws = PairJitter(max_tries=20000).draw(torch.tensor([case["box"]]))[0]
        for i, (low, high, _) in enumerate(case["draws_low_high_value"][:3]):
            assert draws[:, i].min() == low and draws[:, i].max() == high


def annotated(num_pairs=2, num_verbs=5):
    """Labelled pairs, the last of them without object, in an image of 200 x 300 pixels."""
    boxes = torch.tensor([[10.0, 20, 90, 160], [100, 50, 180, 190], [20, 30, 60, 80], [150, 20, 190, 90]])
    verbs = torch.zeros(num_pairs, num_verbs)
    verbs[torch.arange(num_pairs), torch.arange(num_pairs)] = 1
    rows = torch.arange(num_pairs) % 4
    return new_pairs(boxes[rows], boxes[rows.flip(0)], torch.arange(num_pairs), verb_labels=verbs)


def candidates(count=4):
    boxes = torch.arange(count).float()[:, None] * 20 + torch.tensor([0.0, 0, 15, 15])
    return new_pairs(boxes, boxes.flip(0) + 30, torch.arange(count))


@pytest.mark.parity
def test_composition_of_a_sample(reference_dir):
    given = load_json(reference_dir, "tin", "sampling.json")
    pairs = JitteredPairs()(annotated(2), candidates(2), (200, 300))
    assert len(pairs) == given["num_total"] and pairs.interactive.sum() == given["num_positive"]
    assert [[int(i), int(not i)] for i in pairs.interactive] == given["binary_labels"]
    originals = given["human_boxes_are_originals_at"]
    torch.testing.assert_close(pairs.sub_bboxes[originals], annotated(2).sub_bboxes)
    # the fixture's first pair has the classes 17 and 18, its second 19, negatives 23
    pair_of_row = [row[0] >= 19 for row in given["labels"][: given["num_positive"]]]
    assert pairs.verb_labels[:17, 1].bool().tolist() == pair_of_row


def test_copies_overlap_their_original_and_stay_inside():
    torch.manual_seed(0)
    truth = annotated(4)
    subs, objs, source = PairJitter(num_copies=40)(truth.sub_bboxes, truth.obj_bboxes, (200, 300))
    assert len(subs) == len(objs) == 44 and source.bincount().tolist() == [11] * 4
    for boxes, originals in ((subs, truth.sub_bboxes), (objs, truth.obj_bboxes)):
        zero = torch.zeros(len(boxes), 1, 3, dtype=torch.long)
        assert (boxes >= 0).all() and (boxes[:, 2] <= 300).all() and (boxes[:, 3] <= 200).all()
        _, same = jittered_boxes(boxes, zero, (200, 300), 0.99)
        assert same.all()
        low, high = torch.maximum(boxes, originals[source])[:, :2], torch.minimum(boxes, originals[source])[:, 2:]
        assert ((high - low).prod(1) > 0.6 * (boxes[:, 2:] - boxes[:, :2]).prod(1)).all()


def test_shares_of_the_copies():
    assert PairJitter(15).copies_of(4) == [3, 3, 3, 6]
    assert PairJitter(15).copies_of(0) == []


def test_negatives_match_no_pair_and_come_once():
    torch.manual_seed(0)
    truth, found = annotated(2), candidates(6)
    close = new_pairs(truth.sub_bboxes + 1, truth.obj_bboxes + 1, truth.obj_labels)
    together = type(found).cat([close, found])
    negatives = JitteredPairs(num_negatives=4).negatives(truth, together)
    assert len(negatives) == 4 and len(torch.unique(negatives.sub_bboxes, dim=0)) == 4
    assert len(JitteredPairs().negatives(truth, close)) == 0


def test_pairs_without_object_give_their_verbs_to_the_same_person():
    truth = annotated(3)
    truth.sub_bboxes[2] = truth.sub_bboxes[0]
    truth.obj_bboxes[2] = 0
    pairs = JitteredPairs(jitter=dict(num_copies=0))(truth, candidates(0), (200, 300))
    assert pairs.verb_labels.tolist() == [[1, 0, 1, 0, 0], [0, 1, 0, 0, 0]]


def test_images_without_pairs_or_candidates():
    pairs = JitteredPairs()(annotated(0), candidates(3), (200, 300))
    assert len(pairs) == 3 and not pairs.interactive.any()
    assert len(JitteredPairs()(annotated(0), candidates(0), (200, 300))) == 0


def test_many_pairs_are_limited():
    pairs = JitteredPairs(jitter=dict(num_copies=10), max_pairs=3)(annotated(5), candidates(0), (200, 300))
    assert len(pairs) <= 13
