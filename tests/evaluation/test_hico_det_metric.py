import pickle

import numpy as np
import pytest
import torch

from hqm_mmdet.evaluation import HICODetMetric
from hqm_mmdet.evaluation.functional import QPIC
from hqm_mmdet.evaluation.metrics import base
from hqm_mmdet.registry import METRICS
from hqm_mmdet.structures import HOIDataSample, new_pairs
from tests.evaluation import oracle
from tests.evaluation.cases import NUM_OBJECTS, random_images
from tests.evaluation.samples import META, make_sample, run

KEYS = {f"hico/{k}" for k in ("full", "rare", "non_rare", "max_recall", "ko_full", "ko_rare", "ko_non_rare")}


def make_metric(**kwargs):
    metric = HICODetMetric(**kwargs)
    metric.dataset_meta = META
    return metric


@pytest.fixture
def images():
    return random_images(np.random.default_rng(3), num_images=40)


@pytest.fixture
def samples(images):
    return [make_sample(gt, pred, i) for i, (gt, pred) in enumerate(zip(*images, strict=True))]


@pytest.mark.parametrize("as_dict", [True, False])
def test_equals_loop_oracle(images, samples, as_dict):
    result = run(make_metric(), [s.to_dict() if as_dict else s for s in samples])
    assert set(result) == KEYS and all(isinstance(v, float) for v in result.values())
    args = (*images, QPIC, META["valid_pairs"], NUM_OBJECTS, META["rare_triplets"])
    default, known = oracle.evaluate(*args), oracle.evaluate(*args, known_object=True)
    expected = {f"hico/{k}": default[k] for k in ("full", "rare", "non_rare")}
    expected |= {f"hico/ko_{k}": known[k] for k in ("full", "rare", "non_rare")}
    expected["hico/max_recall"] = default["mean_max_recall"]
    assert result == pytest.approx(expected, abs=1e-9)
    assert all(0.01 < default[k] < 0.99 for k in ("full", "rare", "non_rare"))  # else it compares little


def test_batches_do_not_matter_and_results_are_cleared(samples):
    metric = make_metric()
    whole = run(metric, samples)
    assert metric.results == []
    for sample in samples:
        metric.process({}, [sample])
    assert metric.evaluate(len(samples)) == whole


def test_built_from_the_registry(samples):
    metric = METRICS.build(dict(type="HICODetMetric", protocol="matlab", known_object=False))
    metric.dataset_meta = META
    assert set(run(metric, samples)) == {k for k in KEYS if "ko_" not in k}


def test_pair_nms_drops_repeated_pairs(images):
    """A repeated pair with smaller scores is a false positive, and with pair NMS it is not there."""
    gts, preds = images
    for pred in preds:
        count = len(pred["sub_ids"])
        pred["boxes"], pred["labels"] = (
            [row for half in (pred[key][:count], pred[key][count:]) for row in half * 2] for key in ("boxes", "labels")
        )
        pred["verb_scores"] += [[score / 2 for score in row] for row in pred["verb_scores"]]
        pred["sub_ids"], pred["obj_ids"] = list(range(2 * count)), list(range(2 * count, 4 * count))
    samples = [make_sample(gt, pred, i) for i, (gt, pred) in enumerate(zip(gts, preds, strict=True))]
    plain = run(make_metric(), samples)
    suppressed = run(make_metric(pair_nms=dict(threshold=0.999)), samples)
    assert suppressed["hico/full"] > plain["hico/full"]
    assert suppressed["hico/max_recall"] == plain["hico/max_recall"]


def test_unknown_option_of_pair_nms():
    with pytest.raises(TypeError, match="thres_nms"):
        HICODetMetric(pair_nms=dict(thres_nms=0.7))


def test_unknown_protocol():
    with pytest.raises(ValueError, match="unknown protocol"):
        HICODetMetric(protocol="voc2012")


def test_samples_seen_twice_count_once(samples):
    whole = run(make_metric(), samples)
    padded = [*samples, *samples[:2]]
    assert run(make_metric(), padded) == whole
    assert run(make_metric(), padded, size=len(samples)) == whole


def test_two_results_for_one_id_are_refused(images, samples):
    gts, preds = images
    i = next(i for i, p in enumerate(preds) if p["sub_ids"])
    other = make_sample(gts[i], preds[i], i)
    other.pred_pairs.verb_scores = other.pred_pairs.verb_scores * 0.5
    with pytest.raises(ValueError, match=rf"two different results for the image id {i}"):
        run(make_metric(), [*samples, other])


def test_records_are_small_and_travel_between_processes():
    rng = np.random.default_rng(0)
    metric = HICODetMetric()
    metric.dataset_meta = dict(
        classes=[str(i) for i in range(80)],
        verbs=[str(i) for i in range(117)],
        valid_pairs=np.ones((117, 80)),
        rare_triplets=[],
    )
    boxes = torch.tensor(rng.uniform(0, 500, (2, 100, 4)), dtype=torch.float32)
    truth = dict(boxes=boxes[0, :9], labels=[0] * 9, hois=[[0, 1, 2]] * 9)
    sample = HOIDataSample(metainfo=dict(img_id=1, img_path="a.jpg", gt_hois=truth))
    scores = torch.tensor(rng.random((100, 117)), dtype=torch.float32)
    sample.pred_pairs = new_pairs(*boxes, torch.tensor(rng.integers(0, 80, 100)), verb_scores=scores)
    metric.process({}, [sample])
    # 9,658 test images must stay below 300 MB
    assert len(pickle.dumps(metric.results)) < 10_000
    record = pickle.loads(pickle.dumps(metric.results))[0]
    assert record.equals(metric.results[0])
    assert record.preds.scores.base is None  # a view would keep all 11,700 scores alive


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_scores_of_any_float_type(samples, dtype):
    for sample in samples:
        sample.pred_pairs.verb_scores = sample.pred_pairs.verb_scores.to(dtype)
    assert 0 <= run(make_metric(), samples)["hico/max_recall"] <= 1


def test_model_without_predictions_scores_zero(images):
    none = dict(boxes=[], labels=[], verb_scores=[], sub_ids=[], obj_ids=[])
    result = run(make_metric(), [make_sample(gt, none, i) for i, gt in enumerate(images[0])])
    assert result["hico/full"] == result["hico/max_recall"] == result["hico/ko_full"] == 0


def test_nan_score_names_the_image(samples):
    bad = next(s for s in samples if len(s.pred_pairs))
    bad.pred_pairs.verb_scores[0, 0] = float("nan")
    with pytest.raises(ValueError, match=bad.img_path):
        make_metric().process({}, samples)


@pytest.mark.parametrize("key", ["img_id", "img_path", "gt_hois", "pred_pairs"])
def test_missing_field_is_named(samples, key):
    sample = samples[0].to_dict()
    del sample[key]
    with pytest.raises(ValueError, match=f"no '{key}'"):
        make_metric().process({}, [sample])


@pytest.mark.parametrize("key", list(META))
def test_missing_metainfo_is_named(samples, key):
    metric = HICODetMetric()
    metric.dataset_meta = {k: v for k, v in META.items() if k != key}
    with pytest.raises(ValueError, match=key):
        metric.process({}, samples)


def test_tables_of_different_data_sets_are_refused(samples):
    metric = HICODetMetric()
    metric.dataset_meta = dict(META, verbs=("hold",))
    with pytest.raises(ValueError, match="3 rows for 1 verbs"):
        metric.process({}, samples)


def test_table_is_logged(samples, monkeypatch):
    printed = []
    monkeypatch.setattr(base, "print_log", lambda text, logger: printed.append(text))
    result = run(make_metric(), samples)
    assert len(printed) == 1 and "protocol qpic, 40 images" in printed[0]
    assert f"{result['hico/full']:.4f}" in printed[0] and f"{result['hico/ko_full']:.4f}" in printed[0]


# ---- zero-shot, missing images, confidence


def test_zero_shot_split(images, samples):
    unseen = [(1, 0), (3, 2)]
    metric = make_metric()
    metric.dataset_meta = dict(META, unseen=unseen)
    result = run(metric, samples)
    assert set(result) == KEYS | {f"hico/{p}{k}" for p in ("", "ko_") for k in ("seen", "unseen", "harmonic")}
    for prefix, known_object in (("", False), ("ko_", True)):
        theirs = oracle.evaluate(*images, QPIC, META["valid_pairs"], NUM_OBJECTS, unseen, known_object)
        assert result[f"hico/{prefix}unseen"] == pytest.approx(theirs["rare"], abs=1e-9)
        assert result[f"hico/{prefix}seen"] == pytest.approx(theirs["non_rare"], abs=1e-9)
        harmonic = 2 / (1 / theirs["rare"] + 1 / theirs["non_rare"])
        assert result[f"hico/{prefix}harmonic"] == pytest.approx(harmonic, abs=1e-9)


def test_no_split_no_keys(samples):
    metric = make_metric()
    metric.dataset_meta = dict(META, unseen=[])
    assert set(run(metric, samples)) == KEYS


def test_images_without_a_result_are_reported(samples, monkeypatch):
    printed = []
    monkeypatch.setattr(base, "print_log", lambda text, **kwargs: printed.append(text))
    whole = run(make_metric(), samples)
    assert not any("no result" in text for text in printed)
    part = run(make_metric(), samples[3:], size=len(samples))
    assert any("3 of 40 images have no result" in text for text in printed)
    assert part != whole


@pytest.mark.parametrize(
    "boxes", [[[0, 0, 0, 0]], [[9, 9, 5, 5]], [[-5, -5, 1e7, 1e7]]], ids=["empty", "inverted", "huge"]
)
def test_degenerate_boxes_match_nothing(images, boxes):
    gts, preds = images
    for pred in preds:
        pred["boxes"] = boxes * len(pred["boxes"])
    result = run(make_metric(), [make_sample(gt, pred, i) for i, (gt, pred) in enumerate(zip(gts, preds, strict=True))])
    assert result["hico/max_recall"] == 0


def test_bootstrap_intervals(samples):
    plain = run(make_metric(), samples)
    result = run(make_metric(bootstrap=50), samples)
    assert {k: result[k] for k in KEYS} == plain
    assert set(result) == KEYS | {f"{k}_{end}" for k in KEYS for end in ("low", "high")}
    for key in ("hico/full", "hico/ko_full", "hico/max_recall"):
        assert result[f"{key}_low"] < result[key] < result[f"{key}_high"]
    assert run(make_metric(bootstrap=50), samples) == result


@pytest.mark.parametrize("protocol", ["qpic", "matlab"])
def test_rare_set_where_the_subject_is_not_the_first_class(protocol):
    """Whether the protocol compares the subject's label or not, it is part of the class number."""
    truth = dict(boxes=[[0, 0, 40, 80], [30, 20, 70, 60]], labels=[2, 1], hois=[[0, 1, 0]])
    pred = dict(boxes=truth["boxes"], labels=truth["labels"], sub_ids=[0], verb_scores=[[0.9, 0.0, 0.0]])
    meta = dict(META, subject_label=2, valid_pairs=np.ones((3, 4)), rare_triplets=[(1, 0)], unseen=[(1, 0)])
    metric = HICODetMetric(protocol=protocol)
    result = run(metric, [make_sample(truth, pred, 0)], meta=meta)
    assert result["hico/rare"] == result["hico/unseen"] == pytest.approx(1) and np.isnan(result["hico/non_rare"])
