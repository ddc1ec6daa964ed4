import numpy as np
import pytest

from hqm_mmdet.evaluation import HOIAMetric
from hqm_mmdet.evaluation.functional import HOIA, rank_verbs, verb_table
from hqm_mmdet.registry import METRICS
from tests.evaluation.cases import CODER, NUM_VERBS, random_images, tables
from tests.evaluation.samples import META, make_sample, run


@pytest.fixture
def images():
    return random_images(np.random.default_rng(8), num_images=20)


@pytest.fixture
def samples(images):
    return [make_sample(gt, pred, i) for i, (gt, pred) in enumerate(zip(*images, strict=True))]


def test_equals_the_functional_part(images, samples):
    metric = METRICS.build(dict(type="HOIAMetric"))
    metric.dataset_meta = {k: v for k, v in META.items() if k != "rare_triplets"}
    result = run(metric, samples)
    preds, gts, _ = tables(*images, correct_mat=META["valid_pairs"], top_k=HOIA.top_k)
    table = verb_table(rank_verbs(preds, gts, CODER).results(None), NUM_VERBS)
    assert result == {"hoia/mAP": table["ap"].mean(), "hoia/max_recall": table["max_recall"].mean()}
    assert 0.01 < result["hoia/mAP"] < 0.99


def test_repeated_and_empty_images(images, samples):
    whole = run(HOIAMetric(), samples)
    assert run(HOIAMetric(), [*samples, *samples[:2]], size=20) == whole
    none = dict(boxes=[], labels=[], verb_scores=[], sub_ids=[], obj_ids=[])
    assert run(HOIAMetric(), [make_sample(gt, none, i) for i, gt in enumerate(images[0])])["hoia/mAP"] == 0


def test_no_ground_truth_at_all(images):
    gts = [dict(gt, hois=[]) for gt in images[0]]
    samples = [make_sample(gt, pred, i) for i, (gt, pred) in enumerate(zip(gts, images[1], strict=True))]
    assert run(HOIAMetric(), samples) == {"hoia/mAP": 0, "hoia/max_recall": 0}


def test_intervals_and_table(samples):
    metric = HOIAMetric(bootstrap=30)
    result = run(metric, samples)
    assert result["hoia/mAP_low"] < result["hoia/mAP"] < result["hoia/mAP_high"]
    table = metric.rank([metric.make_record(s.to_dict()) for s in samples]).table()
    assert all(verb in table for verb in META["verbs"]) and f"{result['hoia/mAP']:.4f}" in table


def test_nan_score_names_the_image(samples):
    bad = next(s for s in samples if len(s.pred_pairs))
    bad.pred_pairs.verb_scores[0, 0] = float("nan")
    with pytest.raises(ValueError, match=bad.img_path):
        run(HOIAMetric(), samples)
