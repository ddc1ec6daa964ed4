import pytest
import torch
from mmengine.structures import InstanceData

from hqm_mmdet.models.two_stage import ThresholdPairs


def instances(*rows):
    """Rows of label and score; boxes side by side."""
    labels, scores = zip(*rows, strict=True) if rows else ((), ())
    left = torch.arange(len(rows)).float()[:, None] * 20
    boxes = torch.cat([left, torch.zeros_like(left), left + 10, torch.full_like(left, 10)], 1)
    return InstanceData(bboxes=boxes, labels=torch.tensor(labels).long(), scores=torch.tensor(scores).float())


def ids(pairs):
    return set(zip(pairs.sub_ids.tolist(), pairs.obj_ids.tolist(), strict=True))


def test_persons_with_everything_that_is_certain_enough():
    pairs = ThresholdPairs()(instances((0, 0.9), (3, 0.4), (3, 0.2), (0, 0.5), (0, 0.95)))
    assert ids(pairs) == {(0, 1), (0, 3), (0, 4), (4, 0), (4, 1), (4, 3)}
    assert pairs.obj_labels[pairs.obj_ids == 1].tolist() == [3, 3]
    assert pairs.sub_scores[pairs.sub_ids == 4].tolist() == pytest.approx([0.95] * 3)


def test_thresholds_are_exceeded_not_met():
    found = instances((0, 0.5), (1, 0.5))
    assert not len(ThresholdPairs(sub_score_thr=0.5, fallback=0)(found))
    assert len(ThresholdPairs(sub_score_thr=0.4, obj_score_thr=0.4)(found)) == 1


def test_fallback_takes_the_best():
    found = instances((0, 0.1), (0, 0.2), (1, 0.05), (1, 0.01))
    assert not len(ThresholdPairs(fallback=0)(found))
    assert ids(ThresholdPairs(fallback=2)(found)) == {(0, 1), (1, 0)}


def test_identical_boxes_make_no_pair():
    found = instances((0, 0.9), (1, 0.9))
    found.bboxes[1] = found.bboxes[0]
    assert not len(ThresholdPairs()(found))


def test_minimum_and_maximum():
    found = instances((0, 0.9), (0, 0.85), (0, 0.1), (1, 0.2), (1, 0.1))
    pairs = ThresholdPairs(min_subjects=3, max_objects=1)(found)
    assert ids(pairs) == {(1, 0), (2, 0)}
    assert ids(ThresholdPairs(max_subjects=1, min_objects=4)(found)) == {(0, 1), (0, 2), (0, 3)} - {(0, 2)} | {
        (0, i) for i in pair_order(found)[:4] if i
    }
    with pytest.raises(ValueError, match="minimum of 3 instances exceeds the maximum of 2"):
        ThresholdPairs(min_subjects=3, max_subjects=2)


def pair_order(found):
    return found.scores.argsort(descending=True, stable=True).tolist()


def test_suppression_is_by_class():
    found = instances((0, 0.9), (1, 0.8), (1, 0.7), (0, 0.85))
    found.bboxes[2] = found.bboxes[1] + 1
    found.bboxes[3] = found.bboxes[1]
    assert ids(ThresholdPairs(nms_iou=0.5)(found)) == {(0, 1), (0, 3), (3, 0)}


def test_images_without_a_person_or_with_one_box():
    for rows in ((), ((0, 0.9),), ((1, 0.9), (1, 0.9))):
        assert len(ThresholdPairs()(instances(*rows))) == 0


def test_order_of_instances_does_not_matter():
    found = instances(*((label % 3, 0.31 + 0.08 * label) for label in range(8)))
    order = torch.randperm(8, generator=torch.Generator().manual_seed(0))
    shuffled = ids(ThresholdPairs()(found[order]))
    assert {(int(order[s]), int(order[o])) for s, o in shuffled} == ids(ThresholdPairs()(found))
