"""The common form of what metrics rank gives each metric's headline value and says who took what."""

import numpy as np
import pytest

from hqm_mmdet.evaluation import HICODetMetric, HOIAMetric, VCOCOMetric
from hqm_mmdet.evaluation.functional import (
    HOIA,
    PROTOCOLS,
    VCOCO,
    JudgedCandidates,
    judge_roles,
    judge_triplets,
    judge_verbs,
    rank_vcoco,
)
from tests.evaluation.cases import CODER, random_images, tables
from tests.evaluation.judged_cases import RULES, all_cases
from tests.evaluation.samples import META, make_sample
from tests.evaluation.test_hoia import RealHOIA
from tests.evaluation.test_parity_hico import RealSet as RealHICO
from tests.evaluation.test_vcoco import RealSet as RealVCOCO
from tests.evaluation.test_vcoco import random_case
from tests.evaluation.test_vcoco_metric import META as VCOCO_META
from tests.evaluation.test_vcoco_metric import hoia_truth, official_images, predicted_pairs
from tests.evaluation.test_vcoco_metric import make_sample as make_vcoco_sample
from tests.evaluation.vcoco_cases import ROLES, agent_table, oracle_images, persons_of


@pytest.fixture(params=all_cases())
def judged(request) -> JudgedCandidates:
    return request.param()


def test_who_took_what(judged):
    taken = np.flatnonzero(judged.taken_by >= 0)
    rows = judged.taken_by[taken]
    assert len(taken) and set(rows) == set(np.flatnonzero(judged.is_tp))
    assert judged.protocol is HOIA or len(set(rows)) == len(rows)
    np.testing.assert_array_equal(judged.preds.image[rows], judged.gts.image[taken])
    np.testing.assert_array_equal(judged.pred_column[rows], judged.gt_column[taken])
    np.testing.assert_array_equal(judged.preds.classes[rows], judged.gts.classes[taken])


def test_order_and_columns(judged):
    image, scores = judged.preds.image, judged.preds.scores
    np.testing.assert_array_equal(np.lexsort((-scores, image)), np.arange(len(scores)))
    assert judged.gt_column.min() >= 0 and judged.gt_column.max() < len(judged.classes)
    for table, column in ((judged.preds, judged.pred_column), (judged.gts, judged.gt_column)):
        known = column >= 0
        _, obj_labels, verbs = judged.coder.decode(table.classes[known])
        labels = judged.column_labels[column[known]]
        np.testing.assert_array_equal(labels[:, 0], verbs)
        assert (labels[:, 1] == -1).all() or (labels[:, 1] == obj_labels).all()
    ignored = judged.preds.classes[judged.pred_column < 0]
    assert not np.isin(ignored, judged.gts.classes).any()


def test_ranked_rows_are_candidates(judged):
    ranked = judged.ranked()
    np.testing.assert_array_equal(ranked.is_tp, judged.is_tp[ranked.rows])
    np.testing.assert_array_equal(ranked.image, judged.preds.image[ranked.rows])
    np.testing.assert_array_equal(ranked.column, judged.pred_column[ranked.rows])
    assert len(ranked.rows) == (judged.pred_column >= 0).sum()


def hico_ranking(protocol):
    images = random_images(np.random.default_rng(8), num_images=20)
    images[0].append(dict(boxes=[], labels=[], hois=[]))  # QPIC's script does not count its predictions
    images[1].append(next(p for p in images[1] if p["verb_scores"]))
    metric = HOIAMetric() if protocol == "hoia" else HICODetMetric(protocol)
    metric.dataset_meta = META
    return metric.rank([metric.make_record(make_sample(*im, i)) for i, im in enumerate(zip(*images, strict=True))])


def vcoco_ranking():
    images, rng = official_images(3, num_images=12), np.random.default_rng(5)
    metric = VCOCOMetric()
    metric.dataset_meta = VCOCO_META
    samples = [
        make_vcoco_sample(i, predicted_pairs(rng, im, int(rng.integers(0, 9))), hoia_truth(im))
        for i, im in enumerate(images)
    ]
    for sample in samples:  # ties within an image and between images
        sample.pred_pairs.verb_scores = sample.pred_pairs.verb_scores.mul(8).round().div(8)
    return metric.rank([metric.make_record(sample.to_dict()) for sample in samples])


@pytest.mark.parametrize("name", [*RULES, "vcoco"])
def test_mean_is_the_headline_value(name):
    ranking = vcoco_ranking() if name == "vcoco" else hico_ranking(name)
    judged = ranking.judged()
    assert 0.01 < judged.mean() < 0.99
    assert judged.mean() == pytest.approx(ranking.means()[ranking.headline], abs=1e-12)
    rng = np.random.default_rng(0)
    for _ in range(5):
        weights = rng.integers(0, 3, ranking.num_images)
        expected = ranking.means(weights)[ranking.headline]
        assert judged.mean(weights) == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_qpic_drops_images_without_any_box():
    assert len(hico_ranking("ppdm").judged().preds) > len(hico_ranking("qpic").judged().preds)


def test_without_ground_truth():
    preds, gts, num_boxes = tables(*random_images(np.random.default_rng(1)))
    for protocol in PROTOCOLS.values():
        judged = judge_triplets(preds, gts[:0], num_boxes, CODER, protocol)
        assert np.isnan(judged.mean()) and not judged.is_tp.any() and (judged.pred_column == -1).all()
    assert judge_verbs(preds, gts[:0], CODER).mean() == 0


def test_without_candidates():
    preds, gts, num_boxes = tables(*random_images(np.random.default_rng(1)))
    for judged in (judge_triplets(preds[:0], gts, num_boxes, CODER), judge_verbs(preds[:0], gts, CODER)):
        assert judged.mean() == 0 and (judged.taken_by == -1).all()
    persons = persons_of(oracle_images(random_case(0)[0]))
    judged = judge_roles(agent_table([]), persons, ROLES)
    assert judged.mean() == 0 and len(judged.gts) == persons.actions[:, ROLES.role_actions].sum()


# ---- real annotations


@pytest.fixture(scope="module")
def real_hico(reference_dir, data_dir):
    return RealHICO("hico_subset500", reference_dir, data_dir)


@pytest.mark.parity
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_real_hico(protocol, real_hico):
    judged = judge_triplets(real_hico.preds, real_hico.gts, real_hico.num_boxes, real_hico.coder, PROTOCOLS[protocol])
    expected = real_hico.answers["matlab_default" if protocol == "matlab" else protocol]["mAP"]
    assert judged.mean() == pytest.approx(expected, abs=1e-9 if protocol == "qpic" else 1e-6)
    ap = real_hico.evaluate(PROTOCOLS[protocol])["default"].ap
    assert judged.mean() == pytest.approx(ap.mean(), abs=1e-12)


@pytest.mark.parity
def test_real_vcoco(reference_dir, data_dir):
    real = RealVCOCO("vcoco_train_subset200", reference_dir, data_dir)
    for mask in (None, real.mask):
        agents = real.agents(mask)
        judged = judge_roles(agents, real.persons, ROLES)
        ranked = rank_vcoco(agents, real.persons, ROLES)
        tables = ranked.tables()
        np.testing.assert_allclose(judged.class_results().ap, tables["role_s1"], rtol=0, atol=1e-12)
        assert judged.mean() == pytest.approx(ranked.means(tables)["role_s1"], abs=1e-12)
    assert judged.protocol is VCOCO


@pytest.mark.parity
def test_real_hoia(reference_dir, data_dir):
    real = RealHOIA("hoia_subset500", reference_dir, data_dir)
    judged = judge_verbs(real.preds, real.gts, real.coder)
    assert judged.mean() == pytest.approx(real.answer["mAP"], abs=1e-6)
