"""Equality with the official evaluators' answers in the reference folder's ``evaluation``."""

import hashlib

import numpy as np
import pytest

from hqm_mmdet.evaluation.functional import (
    PROTOCOLS,
    QPIC,
    TripletCoder,
    TripletNMS,
    evaluate_triplets,
    ground_truth_table,
    match_triplets,
    mean_results,
    prediction_table,
    stack_images,
    verb_mask_by_object,
)
from tests.evaluation.cases import by_triplet, evaluate, means, tables
from tests.evaluation.reference_data import load_simulator, read_json

pytestmark = pytest.mark.parity
QPIC_KEYS = {"full": "mAP", "rare": "mAP rare", "non_rare": "mAP non-rare", "max_recall": "mean max recall"}
CASE_FILES = ("edge_cases_hico.json", "random_small_cases_hico.json")
# answers of other evaluators that the case files hold, by protocol and setting
OTHER_ANSWERS = (
    ("ppdm", "default", "ppdm_without_verb_filter"),
    ("matlab", "default", "matlab_default"),
    ("matlab", "known_object", "matlab_known_object"),
)


def triplet(key):
    return tuple(map(int, key.split("/")))


def not_finite(case):
    scores = [s for p in case["preds"] for row in p["verb_scores"] for s in row]
    return any(s is None for s in scores)


@pytest.fixture(scope="module", params=CASE_FILES)
def case_file(request, reference_dir):
    return read_cases(reference_dir, request.param)


@pytest.fixture(scope="module")
def edge_cases(reference_dir):
    return read_cases(reference_dir, CASE_FILES[0])


def read_cases(reference_dir, name):
    data = read_json(reference_dir / "evaluation" / name)
    return data["cases"], TripletCoder(data["num_objects"], data["num_verbs"])


def test_cases_qpic(case_file):
    cases, coder = case_file
    compared = 0
    for case in cases:
        if not_finite(case) or "error" in case["answers"]["qpic"]:
            continue  # the next two tests
        answer = case["answers"]["qpic"]
        results = evaluate(case["gts"], case["preds"], QPIC, coder, case["correct_mat"])["default"]
        rare = [tuple(t[1:]) for t in case["rare_triplets"]]
        expected = {k: np.nan if (v := answer["metrics"][name]) is None else v for k, name in QPIC_KEYS.items()}
        assert means(results, rare, coder) == pytest.approx(expected, abs=1e-9, nan_ok=True), case["name"]
        ap = {triplet(k): v for k, v in answer["AP"].items()}
        assert by_triplet(results, results.ap, coder) == pytest.approx(ap, abs=1e-9), case["name"]
        check_flags(case, answer, coder)
        compared += 1
    assert compared


def check_flags(case, answer, coder):
    """True-positive flags and scores per class, in the order in which the official evaluator lists them."""
    preds, gts, num_boxes = tables(case["gts"], case["preds"], coder, case["correct_mat"])
    is_tp = match_triplets(preds, gts, coder)
    counted = num_boxes[preds.image] > 0
    for key, flags in answer["tp"].items():
        rows = counted & (preds.classes == coder.encode(*triplet(key)))
        assert is_tp[rows].tolist() == flags, (case["name"], key)
        assert preds.scores[rows].tolist() == answer["score"].get(key, []), (case["name"], key)


def test_cases_in_which_qpic_crashes_count_the_ground_truth(edge_cases):
    cases, coder = edge_cases
    crashing = [c for c in cases if "error" in c["answers"]["qpic"] and not not_finite(c)]
    assert crashing
    for case in crashing:
        results = evaluate(case["gts"], case["preds"], QPIC, coder, case["correct_mat"])["default"]
        assert results.num_gt.sum() == sum(len(g["hois"]) for g in case["gts"])
        # The MATLAB evaluator does not crash; nothing in these cases depends on its other conventions.
        assert means(results, (), coder)["full"] == pytest.approx(case["answers"]["matlab_default"]["mAP"])


def test_cases_with_nan_scores_are_refused(edge_cases):
    cases, coder = edge_cases
    unfit = [c for c in cases if not_finite(c)]
    assert unfit
    for case in unfit:  # the official evaluator sorts NaN last and answers with a number
        assert "metrics" in case["answers"]["qpic"]
        with pytest.raises(ValueError, match=r"image \d+: score nan"):
            evaluate(case["gts"], case["preds"], QPIC, coder, case["correct_mat"])


@pytest.mark.parametrize(("name", "setting", "key"), OTHER_ANSWERS, ids=[o[2] for o in OTHER_ANSWERS])
def test_cases_other_protocols(case_file, name, setting, key):
    cases, coder = case_file
    compared = 0
    for case in cases:
        answer = case["answers"][key]
        if not_finite(case) or "error" in answer:
            continue
        results = evaluate(case["gts"], case["preds"], PROTOCOLS[name], coder, case["correct_mat"])[setting]
        ap = {triplet(k): v for k, v in answer["AP"].items()}
        assert by_triplet(results, results.ap, coder) == pytest.approx(ap, abs=1e-9), case["name"]
        compared += 1
    assert compared


class RealSet:
    """HICO-DET test annotations with simulated predictions, as tables, and the answers."""

    def __init__(self, name, reference_dir, data_dir):
        folder = data_dir / "hico_det"
        reference = read_json(reference_dir / "evaluation" / f"{name}.json")
        self.meta, self.answers = reference["meta"], reference["results"]
        self.per_class = np.load(reference_dir / "evaluation" / f"{name}.npz")
        hois = read_json(folder / "hoi_list.json")
        valid_pairs = np.load(folder / "corre_hico.npy")
        self.coder = TripletCoder(valid_pairs.shape[1], valid_pairs.shape[0])
        self.hoi_classes = self.coder.encode(
            0, np.array([h["object_index"] for h in hois]), np.array([h["verb_id"] - 1 for h in hois])
        )
        self.rare = self.hoi_classes[[h["rare"] for h in hois]]
        self.read(data_dir, folder, verb_mask_by_object(valid_pairs, self.coder.num_objects))

    def read(self, data_dir, folder, verb_mask):
        simulator = load_simulator(data_dir)
        annotations = read_json(folder / "test_hico.json.gz")
        label = {c: i for i, c in enumerate(simulator.COCO_IDS)}
        indices = simulator.select(len(annotations), self.meta["every"], self.meta["limit"])
        settings, seed = self.meta["settings"], self.meta["seed"]
        digest, preds, gts = hashlib.sha256(), [], []
        for i, p in simulator.simulate(annotations, "hico", seed, settings, indices):
            simulator.update_hash(digest, p)
            sub, obj = p["sub_ids"], p["obj_ids"]
            preds.append(
                prediction_table(
                    p["boxes"][sub], p["boxes"][obj], p["labels"][obj], p["verb_scores"], self.coder, verb_mask
                )
            )
            gts.append(annotated(annotations[i], label, self.coder))
        assert digest.hexdigest() == self.meta["predictions_sha256"], "these are not the reference's predictions"
        self.preds, self.gts = stack_images(preds, scored=True), stack_images(gts, scored=False)
        self.suppressed = stack_images([TripletNMS()(table) for table in preds], scored=True)
        self.num_boxes = np.array([len(annotations[i]["annotations"]) for i in indices])

    def evaluate(self, protocol, pair_nms=False):
        preds = self.suppressed if pair_nms else self.preds
        return evaluate_triplets(preds, self.gts, self.num_boxes, self.coder, protocol, known_object=True)

    def by_hoi(self, results, column):
        """Column of ClassResults in the order of hoi ids, NaN without ground truth."""
        by_class = dict(zip(results.classes.tolist(), column.tolist(), strict=True))
        return np.array([by_class.get(c, np.nan) for c in self.hoi_classes.tolist()])


def annotated(entry, label, coder):
    boxes = np.array([a["bbox"] for a in entry["annotations"]], dtype=float)
    labels = [label[a["category_id"]] for a in entry["annotations"]]
    hois = [[h["subject_id"], h["object_id"], h["category_id"] - 1] for h in entry["hoi_annotation"]]
    return ground_truth_table(boxes, labels, hois, coder, entry["file_name"])


@pytest.fixture(scope="module", params=["hico_subset500", "hico_full"])
def real_set(request, reference_dir, data_dir):
    return RealSet(request.param, reference_dir, data_dir)


def test_real_candidates(real_set):
    kept = real_set.answers["kept"]
    assert len(real_set.preds) == kept["kept"]
    total = real_set.preds.scores.astype(np.float64).sum()
    assert total == pytest.approx(kept["sum of kept scores (float64)"], rel=1e-12)
    assert (real_set.preds.scores == 0).sum() == kept["zero scores among kept"]


def test_real_qpic(real_set):
    results = real_set.evaluate(QPIC)["default"]
    expected = {k: real_set.answers["qpic"][name] for k, name in QPIC_KEYS.items()}
    assert mean_results(results, real_set.rare) == pytest.approx(expected, abs=1e-9)
    for column, key in (("ap", "qpic_ap"), ("max_recall", "qpic_max_recall")):
        ours = real_set.by_hoi(results, getattr(results, column))
        np.testing.assert_allclose(ours, real_set.per_class[key], rtol=0, atol=1e-9)
    for column, key in (("num_tp", "qpic_num_tp"), ("num_pred", "qpic_num_pred"), ("num_gt", "num_gt")):
        ours = np.nan_to_num(real_set.by_hoi(results, getattr(results, column)))
        has_gt = ~np.isnan(real_set.per_class["qpic_ap"])
        np.testing.assert_array_equal(ours[has_gt], real_set.per_class[key][has_gt])


def test_real_cdn_with_pair_nms(real_set):
    results = real_set.evaluate(QPIC, pair_nms=True)["default"]
    expected = {k: real_set.answers["cdn_nms"][name] for k, name in QPIC_KEYS.items()}
    assert mean_results(results, real_set.rare) == pytest.approx(expected, abs=1e-9)
    ours = real_set.by_hoi(results, results.ap)
    np.testing.assert_allclose(ours, real_set.per_class["cdn_nms_ap"], rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "setting", "key", "per_class", "tolerance"),
    [
        ("matlab", "default", "matlab_default", "matlab_default_ap", 1e-9),
        ("matlab", "known_object", "matlab_known_object", "matlab_known_object_ap", 1e-9),
        # PPDM's sort is not stable: single classes differ by their ties; the stable port does not.
        ("ppdm", "default", "ppdm", "matlab_default_numpy_thresholds_ap", 1e-9),
        ("pocket", "default", "pocket", "pocket_ap", 1e-6),
    ],
    ids=["matlab", "matlab-ko", "ppdm", "pocket"],
)
def test_real_other_protocols(real_set, name, setting, key, per_class, tolerance):
    results = real_set.evaluate(PROTOCOLS[name])[setting]
    expected = {k: real_set.answers[key][title] for k, title in QPIC_KEYS.items()}
    assert mean_results(results, real_set.rare) == pytest.approx(expected, abs=1e-6)
    ours = real_set.by_hoi(results, results.ap)
    np.testing.assert_allclose(ours, real_set.per_class[per_class], rtol=0, atol=tolerance)
