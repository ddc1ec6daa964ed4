"""Linking pairs of consecutive frames."""

import pytest
import torch

from hqm_mmdet.apis.video.tracking import PairTracker, StableColours
from hqm_mmdet.structures import new_pairs


def pairs(*rows, scores=None):
    """Rows of x (both boxes lie there) and label."""
    sub = torch.tensor([[float(x), 0, x + 40, 90] for x, _ in rows]).view(-1, 4)
    labels = torch.tensor([label for _, label in rows], dtype=torch.long)
    scores = torch.tensor(scores if scores is not None else [[0.5, 0.1]] * len(rows)).view(-1, 2)
    return new_pairs(sub, sub + 10, labels, verb_scores=scores)


def test_ids_follow_the_boxes_whatever_their_order():
    tracker = PairTracker(absent_label=9)
    assert tracker(pairs((0, 1), (100, 1))).track_ids.tolist() == [0, 1]
    assert tracker(pairs((105, 1), (3, 1))).track_ids.tolist() == [1, 0]
    ids = tracker(pairs((4, 1), (200, 1), (106, 2))).track_ids.tolist()
    assert ids[0] == 0 and len({*ids, 1}) == 4  # far away and of another class: new ones


def test_best_overlap_wins_and_a_track_is_taken_once():
    tracker = PairTracker(absent_label=9)
    tracker(pairs((0, 1)))
    first, second = tracker(pairs((8, 1), (1, 1))).track_ids.tolist()
    assert second == 0 and first != 0


def test_scores_are_averaged_exponentially():
    tracker = PairTracker(absent_label=9, smoothing=0.75)
    first = tracker(pairs((0, 1), scores=[[0.8, 0.0]]))
    torch.testing.assert_close(first.verb_scores, torch.tensor([[0.8, 0.0]]))
    second = tracker(pairs((2, 1), scores=[[0.4, 0.4]]))
    torch.testing.assert_close(second.verb_scores, torch.tensor([[0.7, 0.1]]))
    third = tracker(pairs((4, 1), scores=[[0.7, 0.1]]))
    torch.testing.assert_close(third.verb_scores, torch.tensor([[0.7, 0.1]]))


def test_without_smoothing_scores_stay_and_inputs_are_not_changed():
    tracker, given = PairTracker(absent_label=9), pairs((0, 1), scores=[[0.8, 0.3]])
    tracker(pairs((0, 1)))
    assert torch.equal(tracker(given).verb_scores, given.verb_scores)
    assert "track_ids" not in given


def test_empty_frames():
    tracker = PairTracker(absent_label=9, smoothing=0.5)
    assert len(tracker(pairs())) == 0
    assert tracker(pairs((0, 1))).track_ids.tolist() == [0]
    assert len(tracker(pairs())) == 0
    assert tracker(pairs((0, 1))).track_ids.tolist() == [1]  # forgotten


@pytest.mark.parametrize("options", (dict(smoothing=1.0), dict(smoothing=-0.1), dict(min_iou=0.0)))
def test_options_have_limits(options):
    with pytest.raises(ValueError, match="smoothing must be in"):
        PairTracker(9, **options)


def test_colours_stay_with_their_track():
    colours = StableColours()
    assert colours([10, 11]) == {10: 0, 11: 1}
    assert colours([11, 12]) == {11: 1, 12: 0}
    assert colours([13, 11, 12]) == {11: 1, 12: 0, 13: 2}
    assert colours([]) == {}
