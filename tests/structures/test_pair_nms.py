"""Pair NMS against a brute-force oracle, its properties, and the official code's answers."""

import json

import numpy as np
import pytest

from hqm_mmdet.structures import pair_nms

BOX = [10.0, 20.0, 59.0, 119.0]  # 50 x 100 pixels


def iou(a, b):
    """With inclusive pixel indices, by counting pixels."""
    cells = [{(x, y) for x in range(int(q[0]), int(q[2]) + 1) for y in range(int(q[1]), int(q[3]) + 1)} for q in (a, b)]
    return len(cells[0] & cells[1]) / len(cells[0] | cells[1])


def oracle(sub_boxes, obj_boxes, groups, scores, threshold, alpha, beta):
    kept = []
    for i in sorted(range(len(scores)), key=lambda i: (-scores[i], -i)):
        if all(
            groups[i] != groups[k]
            or iou(sub_boxes[i], sub_boxes[k]) ** alpha * iou(obj_boxes[i], obj_boxes[k]) ** beta <= threshold
            for k in kept
        ):
            kept.append(i)
    return kept


def columns(pairs):
    sub_boxes, obj_boxes, groups, scores = zip(*pairs, strict=True) if pairs else ([], [], [], [])
    boxes = (np.array(b, dtype=np.float32).reshape(-1, 4) for b in (sub_boxes, obj_boxes))
    return *boxes, np.array(groups, dtype=int), np.array(scores, dtype=np.float32) / 8


def random_cases(number, seed=0):
    """Up to nine small boxes each, of 1 to 5 pixels a side; few scores, so ties are frequent."""
    rng = np.random.default_rng(seed)
    for _ in range(number):
        count = rng.integers(0, 10)
        low = rng.integers(0, 4, (2, count, 2))
        boxes = np.concatenate([low, low + rng.integers(0, 5, (2, count, 2))], 2).astype(np.float32)
        options = (rng.choice([0.0, 0.3, 0.5, 0.7, 1.0]), *rng.choice([0.0, 0.5, 1.0], 2))
        yield *boxes, rng.integers(0, 2, count), rng.integers(0, 5, count) / 8, *options


def test_equals_brute_force():
    suppressed = 0
    for case in random_cases(500):
        kept = pair_nms(*case).tolist()
        assert kept == oracle(*case), case
        suppressed += len(case[2]) - len(kept)
    assert suppressed > 200


def random_pairs(count=60, seed=0):
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 20, (2, count, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(60, 90, (2, count, 2))], 2)
    return *boxes, rng.integers(0, 3, count), rng.permutation(count) / count


def test_order_of_pairs_does_not_matter():
    pairs = random_pairs()
    kept = pair_nms(*pairs)
    assert 3 < len(kept) < 60
    order = np.random.default_rng(1).permutation(60)
    assert order[pair_nms(*(column[order] for column in pairs))].tolist() == kept.tolist()


def test_groups_do_not_see_each_other():
    sub_boxes, obj_boxes, groups, scores = random_pairs()
    parts = []
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        parts += rows[pair_nms(sub_boxes[rows], obj_boxes[rows], groups[rows], scores[rows])].tolist()
    assert sorted(parts) == sorted(pair_nms(sub_boxes, obj_boxes, groups, scores))


def test_result_is_in_descending_order_and_stays_under_a_second_pass():
    pairs = random_pairs()
    kept = pair_nms(*pairs)
    assert (np.diff(pairs[3][kept]) < 0).all()
    assert pair_nms(*(column[kept] for column in pairs)).tolist() == list(range(len(kept)))


def test_no_pair_and_one_pair():
    assert pair_nms(*columns([])).tolist() == []
    assert pair_nms(*columns([(BOX, BOX, 0, 1)])).tolist() == [0]


def test_of_equal_scores_the_last_stays():
    assert pair_nms(*columns([(BOX, BOX, 0, 1)] * 3)).tolist() == [2]


def test_exactly_the_threshold_is_kept():
    wider = [10.0, 20.0, 59.0, 89.0]  # 50 x 70 of the 50 x 100 pixels: IoU 0.7
    assert pair_nms(*columns([(BOX, BOX, 0, 2), (wider, BOX, 0, 1)])).tolist() == [0, 1]
    assert pair_nms(*columns([(BOX, BOX, 0, 2), (wider, BOX, 0, 1)]), threshold=0.69).tolist() == [0]


def test_absent_objects_overlap_each_other_and_nothing_else():
    none, far = [0.0] * 4, [200.0, 200.0, 300.0, 300.0]
    assert pair_nms(*columns([(BOX, none, 0, 3), (BOX, none, 0, 2), (BOX, far, 0, 1)])).tolist() == [0, 2]


def test_a_suppressed_pair_suppresses_nobody():
    chain = [[x, 0.0, x + 99.0, 99.0] for x in (0.0, 15.0, 30.0)]  # neighbours overlap by 85/115, the ends by 70/130
    assert pair_nms(*columns([(box, BOX, 0, 3 - i) for i, box in enumerate(chain)])).tolist() == [0, 2]


@pytest.mark.parity
def test_official_cases(reference_dir):
    file = reference_dir / "evaluation" / "pairwise_nms_cases.json"
    if not file.is_file():
        pytest.skip(f"no file {file}")
    cases = json.loads(file.read_text())["cases"]
    for case in cases:
        sub_boxes, obj_boxes, scores = (
            np.array(case[k], np.float32) for k in ("sub_boxes", "obj_boxes", "verb_scores")
        )
        labels, options = np.array(case["obj_labels"]), (case["threshold"], case["alpha"], case["beta"])
        pairs = pair_nms(sub_boxes, obj_boxes, labels, scores.max(1), *options)
        assert sorted(pairs) == sorted(case["vcoco_kept_pairs"]), case["name"]
        rows = np.array(case["hico_input"])
        classes = labels[rows[:, 0]] * scores.shape[1] + rows[:, 1]
        boxes = sub_boxes[rows[:, 0]], obj_boxes[rows[:, 0]]
        kept = rows[pair_nms(*boxes, classes, scores[rows[:, 0], rows[:, 1]], *options)].tolist()
        # The official list is grouped by class, ours ordered by score.
        assert sorted(kept) == sorted(case["hico_kept"]), case["name"]
    assert len(cases) >= 7
