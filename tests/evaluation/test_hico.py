"""Whole evaluation against the loop oracle, and what must hold for any input."""

import numpy as np
import pytest

from hqm_mmdet.evaluation.functional import HOIA, PROTOCOLS, QPIC, evaluate_triplets, known_object_mask
from tests.evaluation import oracle
from tests.evaluation.cases import CODER, NUM_OBJECTS, NUM_VERBS, by_triplet, evaluate, means, random_images, tables

RARE = [(1, 0), (2, 2)]
SETTINGS = (("default", False), ("known_object", True))


def perfect_image():
    gt = dict(boxes=[[0, 0, 50, 90], [30, 20, 80, 60]], labels=[0, 1], hois=[[0, 1, 0], [0, -1, 2]])
    pred = dict(
        boxes=[*gt["boxes"], [0, 0, 0, 0]],
        labels=[0, 1, NUM_OBJECTS],
        verb_scores=[[0.9, 0.1, 0.1], [0.1, 0.1, 0.8]],
        sub_ids=[0, 0],
        obj_ids=[1, 2],
    )
    return gt, pred


def nothing_predicted():
    return dict(boxes=[], labels=[], verb_scores=[], sub_ids=[], obj_ids=[])


def assert_same(ours, theirs):
    np.testing.assert_allclose(list(ours.values()), list(theirs.values()), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", [*PROTOCOLS, "hoia"])
@pytest.mark.parametrize("seed", range(15))
def test_equals_loop_oracle(seed, name):
    rng = np.random.default_rng(seed)
    gts, preds = random_images(rng)
    mat = (rng.random((NUM_VERBS, NUM_OBJECTS)) < 0.7).astype(int) if seed % 2 else None
    protocol = PROTOCOLS.get(name, HOIA)
    ours = evaluate(gts, preds, protocol, correct_mat=mat)
    for setting, known_object in SETTINGS:
        theirs = oracle.evaluate(gts, preds, protocol, mat, NUM_OBJECTS, RARE, known_object)
        results = ours[setting]
        assert by_triplet(results, results.ap) == pytest.approx(theirs["ap"], abs=1e-12)
        assert by_triplet(results, results.max_recall) == pytest.approx(theirs["max_recall"])
        assert by_triplet(results, results.num_tp) == {t: sum(f) for t, f in theirs["tp"].items()}
        expected = {k: theirs[k] for k in ("full", "rare", "non_rare")}
        assert means(results, RARE) == pytest.approx(
            dict(expected, max_recall=theirs["mean_max_recall"]), abs=1e-12, nan_ok=True
        )


def test_random_images_exercise_the_evaluator():
    aps = [evaluate(*random_images(np.random.default_rng(s)))["default"].ap for s in range(15)]
    aps = np.concatenate(aps)
    assert (aps == 0).any() and (aps > 0.99).any() and ((aps > 0.1) & (aps < 0.9)).any()


@pytest.mark.parametrize("seed", range(5))
def test_order_of_images_and_pairs_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    gts, preds = random_images(rng)
    before = means(evaluate(gts, preds)["default"], RARE)
    order = rng.permutation(len(gts))
    shuffled = []
    for pred in (preds[i] for i in order):
        rows = rng.permutation(len(pred["sub_ids"]))
        shuffled.append(dict(pred, **{k: [pred[k][r] for r in rows] for k in ("verb_scores", "sub_ids", "obj_ids")}))
    assert_same(means(evaluate([gts[i] for i in order], shuffled)["default"], RARE), before)


@pytest.mark.parametrize("seed", range(5))
def test_repeating_all_predictions_adds_false_positives_only(seed):
    gts, preds = random_images(np.random.default_rng(seed))
    doubled = [dict(p, **{k: p[k] + p[k] for k in ("verb_scores", "sub_ids", "obj_ids")}) for p in preds]
    once, twice = evaluate(gts, preds)["default"], evaluate(gts, doubled)["default"]
    assert twice.num_tp.tolist() == once.num_tp.tolist()
    assert (twice.ap <= once.ap + 1e-12).all()


def test_scores_matter_by_rank_only():
    gts, preds = random_images(np.random.default_rng(1))
    squared = [dict(p, verb_scores=[[s * s for s in row] for row in p["verb_scores"]]) for p in preds]
    assert_same(means(evaluate(gts, squared)["default"]), means(evaluate(gts, preds)["default"]))


def test_perfect_predictions_score_one():
    gt, pred = perfect_image()
    for protocol in PROTOCOLS.values():
        result = means(evaluate([gt] * 3, [pred] * 3, protocol)["default"], [(1, 0)])
        assert list(result.values()) == pytest.approx([1, 1, 1, 1], abs=0.1 if protocol.pred_shift else 1e-12)


def test_image_without_prediction_counts_its_ground_truth():
    gt, pred = perfect_image()
    result = means(evaluate([gt, gt], [pred, nothing_predicted()])["default"])
    assert result["max_recall"] == 0.5 and result["full"] == pytest.approx(6 / 11)


def test_no_prediction_at_all_scores_zero():
    gt, _ = perfect_image()
    result = evaluate([gt], [nothing_predicted()])
    for setting, _ in SETTINGS:
        values = means(result[setting], [(1, 0)])
        assert values == dict(full=0, rare=0, non_rare=0, max_recall=0)


def test_no_ground_truth_is_nan_without_warning():
    gt, pred = perfect_image()
    for gts, preds in (([dict(gt, hois=[])], [pred]), ([], [])):
        values = means(evaluate(gts, preds)["default"])
        assert np.isnan(list(values.values())).all()


def test_images_without_boxes_are_skipped_by_qpic_alone():
    gt, pred = perfect_image()
    better = dict(pred, verb_scores=[[0.99] * 3, [0.99] * 3])
    empty = dict(boxes=[], labels=[], hois=[])
    full = {n: means(evaluate([gt, empty], [pred, better], p)["default"])["full"] for n, p in PROTOCOLS.items()}
    assert full["qpic"] == pytest.approx(1)
    assert max(full["ppdm"], full["matlab"], full["pocket"]) <= 0.51


def test_known_object_ignores_images_without_the_object():
    gt, pred = perfect_image()
    other = dict(boxes=gt["boxes"], labels=[0, 2], hois=[[0, 1, 0]])
    wrong = dict(pred, verb_scores=[[0.99, 0, 0], [0, 0, 0]])
    results = evaluate([gt, other], [pred, wrong])
    key = (0, 1, 0)
    assert by_triplet(results["default"], results["default"].ap)[key] == pytest.approx(0.5)
    assert by_triplet(results["known_object"], results["known_object"].ap)[key] == pytest.approx(1)
    preds, gts, _ = tables([gt, other], [pred, wrong])
    assert known_object_mask(preds, gts, CODER)[preds.image == 0].all()


def test_predictions_of_unknown_images_are_refused():
    preds, gts, num_boxes = tables(*([x] * 2 for x in perfect_image()))
    with pytest.raises(ValueError, match=r"prediction for unknown image indices \[1\]"):
        evaluate_triplets(preds, gts, num_boxes[:1], CODER, QPIC)
    with pytest.raises(ValueError, match="ground truth for unknown"):
        evaluate_triplets(preds[preds.image == 0], gts, num_boxes[:1], CODER, QPIC)
