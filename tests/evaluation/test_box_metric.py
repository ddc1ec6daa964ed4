import numpy as np
import pytest
import torch

from hqm_mmdet.evaluation import HOIBoxMetric
from hqm_mmdet.evaluation.metrics.box_metric import coco_box_ap
from hqm_mmdet.registry import METRICS
from hqm_mmdet.structures import HOIDataSample, new_pairs
from tests.evaluation.samples import run

PERSON, OTHER, CUP = [0, 0, 50, 90], [100, 0, 150, 90], [30, 20, 80, 60]


def make_sample(pairs, img_id=0, boxes=(PERSON, OTHER, CUP), labels=(0, 0, 1), hois=((0, 2, 0),)):
    """``pairs`` = [(subject box, object box, object label, best verb score, object score)]."""
    truth = dict(boxes=np.array(boxes, float), labels=np.array(labels), hois=np.array(hois).reshape(-1, 3))
    sample = HOIDataSample(metainfo=dict(img_id=img_id, img_path=f"{img_id}.jpg", gt_hois=truth))
    sub, obj = (torch.tensor([p[i] for p in pairs]).float().reshape(-1, 4) for i in (0, 1))
    scores = torch.tensor([[p[3], p[3] / 2, 0] for p in pairs]).reshape(-1, 3)
    labels, obj_scores = torch.tensor([p[2] for p in pairs]).long(), torch.tensor([p[4] for p in pairs]).float()
    sample.pred_pairs = new_pairs(sub, obj, labels, obj_scores=obj_scores, verb_scores=scores)
    return sample


def test_perfect_boxes():
    result = run(METRICS.build(dict(type="HOIBoxMetric")), [make_sample([(PERSON, CUP, 1, 0.9, 0.8)])])
    assert result == pytest.approx({f"box/{s}_{k}": 1 for s in ("sub", "obj") for k in ("AP", "AP50", "AR")})


def test_wrong_object_class_costs_objects_alone():
    result = run(HOIBoxMetric(), [make_sample([(PERSON, CUP, 2, 0.9, 0.8)])])
    assert result["box/sub_AP"] == pytest.approx(1) and result["box/obj_AP"] == 0


def test_unlisted_persons_are_ignored_and_repeats_dropped():
    """A detection on a person without HOI, and a second pair with the same boxes, are no false positives."""
    pairs = [(OTHER, CUP, 1, 0.95, 0.9), (PERSON, CUP, 1, 0.9, 0.8), (PERSON, CUP, 1, 0.85, 0.7)]
    result = run(HOIBoxMetric(), [make_sample(pairs)])
    assert result["box/sub_AP"] == pytest.approx(1) and result["box/obj_AP"] == pytest.approx(1)
    false = [([300, 300, 340, 340], CUP, 1, 0.99, 0.9), *pairs]
    assert run(HOIBoxMetric(), [make_sample(false)])["box/sub_AP"] == pytest.approx(0.5)


def test_absent_objects_take_no_part():
    pairs = [(PERSON, [0, 0, 0, 0], 4, 0.99, 0.99), (PERSON, CUP, 1, 0.9, 0.8)]
    result = run(HOIBoxMetric(), [make_sample(pairs, hois=((0, 2, 0), (0, -1, 1)))])
    assert result["box/obj_AP"] == pytest.approx(1)


def test_nothing_annotated_and_nothing_predicted():
    empty = make_sample([], hois=())
    assert np.isnan(list(run(HOIBoxMetric(), [empty]).values())).all()
    assert set(run(HOIBoxMetric(), [make_sample([])]).values()) == {0.0}


def test_repeated_image_counts_once():
    samples = [make_sample([(PERSON, CUP, 1, 0.9, 0.8)], i) for i in range(2)]
    assert run(HOIBoxMetric(), [*samples, samples[0]], size=2) == run(HOIBoxMetric(), samples)


def test_nan_score_names_the_image():
    with pytest.raises(ValueError, match=r"'0\.jpg': a score is not finite"):
        run(HOIBoxMetric(), [make_sample([(PERSON, CUP, 1, float("nan"), 0.8)])])


def test_average_precision_by_hand():
    """Two truths; a hit, a miss, a hit: precision 1 up to recall 1/2, then 2/3 (101 points)."""
    gts = [np.array([[0, 0, 10, 10, 3, 1], [50, 50, 60, 60, 3, 1]])]
    preds = [np.array([[0, 0, 10, 10, 3, 0.9], [80, 80, 90, 90, 3, 0.8], [50, 50, 60, 60, 3, 0.7]])]
    result = coco_box_ap(preds, gts)
    assert result["AP"] == pytest.approx((51 + 50 * 2 / 3) / 101) and result["AR"] == 1
