"""The error breakdown beside a loop oracle, and what must hold for any input."""

from dataclasses import replace

import numpy as np
import pytest

from hqm_mmdet.evaluation.functional import PROTOCOLS, TripletTable, judge_roles, judge_triplets, judge_verbs
from hqm_mmdet.evaluation.functional.error_kinds import BACKGROUND, FIXABLE, KINDS, RIGHT
from hqm_mmdet.evaluation.functional.error_oracle import FixOracle
from hqm_mmdet.evaluation.functional.errors import MISSED, break_down
from hqm_mmdet.evaluation.functional.joining import KeyIndex
from tests.evaluation import oracle_errors
from tests.evaluation.judged_cases import (
    RULES,
    all_cases,
    distinct_scores,
    judge_images,
    random_roles,
    random_triplets,
    take_images,
)
from tests.evaluation.test_hoia import RealHOIA
from tests.evaluation.test_parity_hico import RealSet as RealHICO
from tests.evaluation.test_vcoco import RealSet as RealVCOCO
from tests.evaluation.test_vcoco import random_case
from tests.evaluation.vcoco_cases import ROLES, agent_table, oracle_images, persons_of


@pytest.fixture(params=all_cases())
def judged(request):
    return request.param()


def num_images(judged):
    return 1 + max(judged.preds.image.max(), judged.gts.image.max())


def gains(result):
    return {row.name: row.gain for row in (*result.rows, *result.limits)}


def test_equals_the_loop_oracle(judged):
    check_against_loops(judged)


@pytest.mark.parity
@pytest.mark.parametrize("name", ["hico", "hoia", "vcoco"])
def test_equals_the_loop_oracle_on_real_annotations(name, reference_dir, data_dir):
    if name == "vcoco":
        real, number = RealVCOCO("vcoco_train_subset200", reference_dir, data_dir), 8
        judged = judge_roles(real.agents(), real.persons, ROLES)
    elif name == "hoia":
        real, number = RealHOIA("hoia_subset500", reference_dir, data_dir), 40
        judged = judge_verbs(real.preds, real.gts, real.coder)
    else:
        real, number = RealHICO("hico_subset500", reference_dir, data_dir), 100
        judged = judge_triplets(real.preds, real.gts, real.num_boxes, real.coder)
    check_against_loops(take_images(judged, range(number))[0])


def check_against_loops(judged):
    result, expected = break_down(judged), oracle_errors.break_down(judged)
    kinds = [None if k == RIGHT else KINDS[k] for k in result.kind]
    assert kinds == list(expected["kinds"])
    assert [None if t < 0 else t for t in result.target.tolist()] == list(expected["targets"])
    assert result.missed.tolist() == expected["missed"]
    for name, value in expected["values"].items():
        if name != "all":
            assert gains(result)[name] == pytest.approx(value - result.value, abs=1e-12), name
    oracle = FixOracle(judged, result.kind, result.target)
    assert oracle.mean(range(len(KINDS)), gone=result.missed) == pytest.approx(expected["values"]["all"], abs=1e-12)


def test_random_cases_have_every_kind():
    """Else the comparison above says nothing about some."""
    for name in ("qpic", "hoia", "vcoco"):
        seen, fixed = np.zeros(len(KINDS), int), np.zeros(len(KINDS), int)
        for seed in range(8):
            judged = random_roles(seed, 60) if name == "vcoco" else random_triplets(name, seed, 20)
            result = break_down(judged)
            seen += np.bincount(result.kind[result.kind >= 0], minlength=len(KINDS))
            fixed += [sum(row.gain > 0 for row in result.rows if row.name == kind) for kind in KINDS]
            assert result.missed.any()
        without = {"vcoco": {"object class"}}.get(name, set())
        assert {KINDS[k] for k in np.flatnonzero(seen == 0)} == without
        assert {KINDS[k] for k in np.flatnonzero(fixed == 0)} == without


def test_each_false_positive_has_one_kind_and_each_loss_one_reason(judged):
    result = break_down(judged)
    np.testing.assert_array_equal(result.kind == RIGHT, judged.is_tp)
    np.testing.assert_array_equal(result.target >= 0, np.isin(result.kind, FIXABLE))
    aimed_at = np.isin(np.arange(len(judged.gts)), result.target)
    np.testing.assert_array_equal(result.missed, (judged.taken_by < 0) & ~aimed_at)
    counts = {row.name: row.count for row in result.rows}
    assert sum(counts.values()) == (~judged.is_tp).sum() + result.missed.sum()
    assert counts[MISSED] == result.missed.sum()
    assert all(counts.get(name, 0) == (result.kind == k).sum() for k, name in enumerate(KINDS))
    aimed = np.flatnonzero(result.target >= 0)
    np.testing.assert_array_equal(judged.preds.image[aimed], judged.gts.image[result.target[aimed]])


def test_value_is_the_metric_and_nothing_gains_less_than_zero(judged):
    result = break_down(judged)
    assert result.value == judged.mean()
    assert FixOracle(judged, result.kind, result.target).mean() == result.value
    assert min(gains(result).values()) >= -1e-12
    by_name = gains(result)
    assert by_name["false positives"] >= max(by_name[k] for k in ("duplicate", "several", "background")) - 1e-12
    assert by_name["false negatives"] >= by_name[MISSED] - 1e-12


def test_all_mended_is_perfect(judged):
    """Not in HOI-A, where a candidate may take several ground-truth triplets but counts once: recall stays below 1."""
    result = break_down(judged)
    perfect = FixOracle(judged, result.kind, result.target).mean(range(len(KINDS)), gone=result.missed)
    if not judged.protocol.takes_all_matches:
        assert perfect == pytest.approx(1, abs=1e-12)
        return
    mended = np.unique(result.target[(result.target >= 0) & (judged.taken_by[result.target] < 0)])
    hits = np.bincount(judged.pred_column[judged.is_tp], minlength=len(judged.classes))
    hits += np.bincount(judged.gt_column[mended], minlength=len(judged.classes))
    left = np.bincount(judged.gt_column[~result.missed], minlength=len(judged.classes))
    recall = np.where(left > 0, hits / np.maximum(left, 1), np.isin(np.arange(len(left)), judged.gt_column))
    assert perfect == pytest.approx(recall.mean(), abs=1e-12)


def test_order_of_images_does_not_matter(judged):
    judged = distinct_scores(judged)
    images = np.random.default_rng(0).permutation(num_images(judged))
    shuffled, preds, _ = take_images(judged, images)
    first, second = break_down(judged), break_down(shuffled)
    np.testing.assert_array_equal(second.kind, first.kind[preds])
    assert gains(second) == pytest.approx(gains(first), abs=1e-12)


def test_batched_equals_image_by_image(judged):
    whole = break_down(judged)
    for image in range(num_images(judged)):
        alone, preds, gts = take_images(judged, [image])
        one = break_down(alone)
        np.testing.assert_array_equal(one.kind, whole.kind[preds])
        np.testing.assert_array_equal(one.missed, whole.missed[gts])
        targets = whole.target[preds]
        np.testing.assert_array_equal(np.where(one.target < 0, -1, gts[one.target] if len(gts) else -1), targets)


def test_pairs_only_spare_work():
    judged = random_roles(1)
    assert judged.pair is not None and len(np.unique(judged.pair)) < len(judged.pair)
    with_pairs, without = break_down(judged), break_down(replace(judged, pair=None))
    np.testing.assert_array_equal(with_pairs.kind, without.kind)
    np.testing.assert_array_equal(with_pairs.target, without.target)
    assert with_pairs.rows == without.rows


@pytest.mark.parametrize("name", RULES)
def test_perfect_predictions(name):
    boxes = [[0, 0, 50, 90], [60, 0, 110, 40], [200, 0, 250, 90], [260, 0, 310, 40]]
    gts = [dict(boxes=boxes, labels=[0, 1, 0, 2], hois=[[0, 1, 0], [0, 1, 2], [2, 3, 0], [2, -1, 1], [0, 3, 1]])] * 2
    pairs = [(0, 1, 1), (2, 3, 2), (2, 2, 4), (0, 3, 2)]
    verbs = [[0.9, 0, 0.8], [0.7, 0, 0], [0, 0.6, 0], [0, 0.5, 0]]
    boxes_of = [boxes[s] for s, _, _ in pairs] + [boxes[o] for _, o, _ in pairs]
    labels = [0] * 4 + [label for _, _, label in pairs]
    pred = dict(boxes=boxes_of, labels=labels, verb_scores=verbs, sub_ids=range(4), obj_ids=range(4, 8))
    judged = judge_images(gts, [pred] * 2, RULES[name])
    right = judged.preds.scores > 0
    judged = replace(
        judged,
        preds=judged.preds[right],
        pred_column=judged.pred_column[right],
        is_tp=judged.is_tp[right],
        taken_by=(np.cumsum(right) - 1)[judged.taken_by],
    )
    check_perfect(break_down(judged))


def test_perfect_predictions_vcoco():
    persons = persons_of(oracle_images(random_case(0, 20)[0]))
    agents = agent_table([])
    does = persons.actions[:, ROLES.role_actions]
    scores = np.where(does, np.float32(0.5), np.float32("nan"))
    columns = persons.image, persons.boxes, np.zeros((len(does), 26), np.float32), persons.role_boxes, scores
    check_perfect(break_down(judge_roles(type(agents)(*columns), persons, ROLES)))


def check_perfect(result):
    assert result.value == pytest.approx(1) and len(result.kind) > 3
    assert (result.kind == RIGHT).all() and not result.missed.any()
    assert all(row.count == 0 and row.gain == pytest.approx(0, abs=1e-12) for row in (*result.rows, *result.limits))


def empty(table: TripletTable) -> TripletTable:
    return table[np.zeros(0, int)]


def test_no_candidates(judged):
    none = np.zeros(0, int)
    judged = replace(
        judged,
        preds=empty(judged.preds),
        pred_column=none,
        is_tp=none.astype(bool),
        taken_by=np.full(len(judged.gts), -1),
        pair=None,
    )
    result = break_down(judged)
    has_truth = np.isin(np.arange(len(judged.classes)), judged.gt_column)[judged.counted]
    share = has_truth.mean() if judged.empty_counts_zero else 1.0
    assert result.value == 0 and result.missed.all() and not len(result.kind)
    # nothing is left to be found in any class
    assert gains(result) == pytest.approx(
        {row.name: 0 for row in result.rows} | {MISSED: share, "false positives": 0, "false negatives": share}
    )


@pytest.mark.parametrize("name", PROTOCOLS)
def test_no_ground_truth(name):
    gts = [dict(boxes=[[0, 0, 9, 9]], labels=[0], hois=[])]
    judged = judge_images(
        gts,
        [dict(boxes=[[0, 0, 9, 9]] * 2, labels=[0, 1], verb_scores=[[0.5, 0.2, 0.1]], sub_ids=[0], obj_ids=[1])],
        RULES[name],
    )
    result = break_down(judged)
    assert result.kind.tolist() == [BACKGROUND] * 3 and np.isnan(result.value)
    assert all(np.isnan(row.gain) for row in result.rows) and not len(result.missed)


def test_nothing_at_all():
    for name in RULES:
        result = break_down(judge_images([], [], RULES[name]))
        assert not len(result.kind) and not len(result.missed) and all(row.count == 0 for row in result.rows)


def test_join_in_blocks():
    rng = np.random.default_rng(0)
    left, right = rng.integers(0, 30, 200), rng.integers(0, 40, 100)
    index = KeyIndex(right)
    whole = np.stack(index.join(left))
    expected = [(i, j) for i in range(200) for j in range(100) if left[i] == right[j]]
    assert whole.T.tolist() == [list(pair) for pair in expected]
    for size in (1, 7, 100, 10**6):
        blocks = [np.stack(block) for block in index.join_in_blocks(left, size)]
        np.testing.assert_array_equal(np.concatenate(blocks, axis=1), whole)
        assert size > 1000 or len(blocks) > 1
    assert [len(a) for a, _ in KeyIndex(right[:0]).join_in_blocks(left)] == [0]
    assert [len(a) for a, _ in index.join_in_blocks(left[:0])] == [0]
