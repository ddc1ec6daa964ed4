"""HOI-A arithmetic: official answers and the loop oracle."""

from dataclasses import replace

import numpy as np
import pytest

from hqm_mmdet.evaluation.functional import (
    HOIA,
    TripletCoder,
    ground_truth_table,
    prediction_table,
    rank_verbs,
    stack_images,
    verb_mask_by_object,
    verb_table,
)
from tests.evaluation import oracle, oracle_hoia
from tests.evaluation.cases import CODER, NUM_VERBS, random_images, tables
from tests.evaluation.reference_data import load_simulator, read_json, reference_predictions

HOIA_CODER = TripletCoder(11, 10)


def annotated(entry):
    boxes = [a["bbox"] for a in entry["annotations"]]
    labels = [int(a["category_id"]) - 1 for a in entry["annotations"]]
    hois = [[h["subject_id"], h["object_id"], h["category_id"] - 1] for h in entry["hoi_annotation"]]
    return ground_truth_table(boxes, labels, hois, HOIA_CODER, entry["file_name"])


def predicted(entry):
    """A DESIGN-style prediction with one verb per entry."""
    boxes = np.array([p["bbox"] for p in entry["predictions"]], float).reshape(-1, 4)
    labels = np.array([int(p["category_id"]) - 1 for p in entry["predictions"]], int)
    rows = entry["hoi_prediction"]
    sub, obj = (np.array([h[k] for h in rows], int) for k in ("subject_id", "object_id"))
    scores = np.full((len(rows), 10), np.nan, np.float32)
    for row, h in zip(scores, rows, strict=True):
        row[h["category_id"] - 1] = h["score"]
    return prediction_table(
        boxes[sub], boxes[obj], labels[obj], scores, HOIA_CODER, sub_labels=labels[sub], partial=True
    )


@pytest.mark.parity
def test_edge_cases(reference_dir):
    for case in read_json(reference_dir / "evaluation" / "edge_cases_hoia.json")["cases"]:
        found = {p["file_name"]: p for p in case["pred"]}
        nothing = dict(predictions=[], hoi_prediction=[])
        preds = [predicted(found.get(g["file_name"], nothing)) for g in case["gt"]]
        ranked = rank_verbs(
            stack_images(preds, scored=True), stack_images([annotated(g) for g in case["gt"]], scored=False), HOIA_CODER
        )
        ours, answer = verb_table(ranked.results(None), 10), case["answer"]
        assert ours["ap"].tolist() == pytest.approx(answer["AP"], abs=1e-9), case["name"]
        assert ours["max_recall"].tolist() == pytest.approx(answer["max_recall"], abs=1e-9), case["name"]
        assert ours["ap"].mean() == pytest.approx(answer["mAP"], abs=1e-9), case["name"]


class RealHOIA:
    """HOI-A test annotations with simulated predictions, as tables, and the answer."""

    coder = HOIA_CODER

    def __init__(self, name, reference_dir, data_dir):
        reference = read_json(reference_dir / "evaluation" / f"{name}.json")
        self.answer, meta = reference["results"]["ppdm_hoia"], reference["meta"]
        annotations = read_json(data_dir / "hoi_a" / "test_hoia.json.gz")
        mask = verb_mask_by_object(np.load(data_dir / "hoi_a" / "corre_hoia.npy"), 11)
        simulator = load_simulator(data_dir)
        simulated = reference_predictions(simulator, annotations, "hoia", meta)
        preds = []
        for _, p in simulated:
            sub, obj = p["sub_ids"], p["obj_ids"]
            boxes, labels = p["boxes"], p["labels"]
            preds.append(prediction_table(boxes[sub], boxes[obj], labels[obj], p["verb_scores"], HOIA_CODER, mask))
        self.preds = stack_images(preds, scored=True)
        self.gts = stack_images([annotated(annotations[i]) for i, _ in simulated], scored=False)


def tie_bounds(ranked, scores):
    """(V,) AP if of equal scores the wrong candidates come first, and if the right ones do."""
    bounds = []
    for first in (ranked.is_tp, ~ranked.is_tp):
        order = np.lexsort((first, -scores[ranked.rows], ranked.column))
        bounds.append(verb_table(replace(ranked, is_tp=ranked.is_tp[order]).results(None), 10)["ap"])
    return bounds


@pytest.mark.parity
@pytest.mark.parametrize("name", ["hoia_subset500", "hoia_full"])
def test_real_set(name, reference_dir, data_dir):
    real = RealHOIA(name, reference_dir, data_dir)
    ranked, answer = rank_verbs(real.preds, real.gts, HOIA_CODER), real.answer
    results = ranked.results(None)
    ours = verb_table(results, 10)
    # The official order of equal scores is numpy's unstable default, so anything between the worst and the best is
    # right; a verb without ties has no such room.
    low, high = tie_bounds(ranked, real.preds.scores)
    official = np.array(list(answer["AP"].values()))
    for ap in (official, ours["ap"]):
        assert (low - 1e-9 <= ap).all() and (ap <= high + 1e-9).all()
    assert (high - low).max() < 1e-4
    assert ours["max_recall"].tolist() == pytest.approx(list(answer["max recall"].values()), abs=1e-6)
    assert ours["ap"].mean() == pytest.approx(answer["mAP"], abs=1e-9 + (high - low).mean())
    assert results.num_gt.tolist() == list(answer["num_gt"].values())
    assert results.num_tp.tolist() == list(answer["num_tp"].values())


@pytest.mark.parametrize("seed", range(10))
def test_equals_loop_oracle(seed):
    gts, preds = random_images(np.random.default_rng(seed))
    results = rank_verbs(*tables(gts, preds)[:2], CODER).results(None)
    theirs = oracle.evaluate(gts, preds, HOIA, None, CODER.absent_object_label)
    expected = np.zeros(NUM_VERBS)
    for verb in range(NUM_VERBS):
        triplets = [t for t in theirs["tp"] if t[2] == verb]
        expected[verb] = verb_ap(gts, preds, triplets, theirs, verb)
    np.testing.assert_allclose(verb_table(results, NUM_VERBS)["ap"], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_equal_scores_keep_their_order(seed):
    """The one rule in which we and the official script differ: its order of equal scores is numpy's unstable one."""
    gts, preds = random_images(np.random.default_rng(seed), num_images=12)
    gts = [dict(g, hois=[h for h in g["hois"] if h[1] >= 0]) for g in gts]
    preds = [dict(p, verb_scores=np.round(p["verb_scores"], 1).tolist()) for p in preds]
    ours = verb_table(rank_verbs(*tables(gts, preds)[:2], CODER).results(None), NUM_VERBS)["ap"]
    aps = {order: oracle_hoia.verb_aps(gts, preds, NUM_VERBS, order) for order in oracle_hoia.ORDERS}
    np.testing.assert_allclose(ours, aps["stable"], rtol=0, atol=1e-12)
    assert (aps["best"] - aps["worst"]).max() > 0.01
    assert (aps["worst"] <= aps["official"]).all() and (aps["official"] <= aps["best"]).all()


def verb_ap(gts, preds, triplets, theirs, verb):
    """AP of a verb from the oracle's flags per triplet, and zeros of triplets without ground truth."""
    num_gt = sum(h[2] == verb for g in gts for h in g["hois"])
    rows = [row for t in triplets for row in zip(theirs["score"][t], theirs["tp"][t], strict=True)]
    known = [score for score, _ in rows]
    every = [s for p in preds for _, _, _, v, s in flat(p) if v == verb]
    rows += [(s, 0) for s in every if s not in known]
    if not num_gt:
        return 0.0
    flags = [flag for _, flag in sorted(rows, key=lambda r: -r[0])]
    return oracle.average_precision(flags, num_gt, None)[0]


def flat(pred):
    for p, scores in enumerate(pred["verb_scores"]):
        for verb, score in enumerate(scores):
            yield p, pred["sub_ids"][p], pred["obj_ids"][p], verb, float(np.float32(score))


def test_a_verb_without_ground_truth_counts_zero():
    gts, preds = random_images(np.random.default_rng(0))
    gts = [dict(g, hois=[h for h in g["hois"] if h[2] != 1]) for g in gts]
    table = verb_table(rank_verbs(*tables(gts, preds)[:2], CODER).results(None), NUM_VERBS)
    assert table["ap"][1] == 0 and table["max_recall"][1] == 0 and table["ap"].mean() > 0
