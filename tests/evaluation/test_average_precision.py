import numpy as np
import pytest

from hqm_mmdet.evaluation.functional import MATLAB, PROTOCOLS, QPIC, class_results, get_protocol
from tests.evaluation import oracle


def ap(flags, num_gt, thresholds=QPIC.recall_thresholds):
    scores = np.linspace(1, 0, len(flags))
    result = class_results(np.zeros(len(flags), int), scores, flags, np.zeros(num_gt, int), thresholds)
    return result.ap[0], result.max_recall[0]


def test_perfect_and_hopeless():
    assert ap([1, 1, 1], 3) == (pytest.approx(1), 1)
    assert ap([0, 0], 3) == (0, 0)
    assert ap([], 3) == (0, 0)


def test_false_positives_below_the_last_hit_change_nothing():
    assert ap([1, 0, 1], 2) == ap([1, 0, 1, 0, 0], 2)


@pytest.mark.parametrize("hits", range(11))
def test_recall_thresholds_carry_their_rounding(hits):
    """A recall of exactly .3, .6, .7 misses numpy's thresholds; of MATLAB's only .3 does."""
    flags = [1] * hits
    points = hits + (hits > 0)
    assert ap(flags, 10, QPIC.recall_thresholds)[0] * 11 == pytest.approx(points - (hits in (3, 6, 7)))
    assert ap(flags, 10, MATLAB.recall_thresholds)[0] * 11 == pytest.approx(points - (hits == 3))


@pytest.mark.parametrize("seed", range(10))
def test_many_classes_equal_one_at_a_time(seed):
    rng = np.random.default_rng(seed)
    classes, is_tp = rng.integers(0, 6, 200), rng.random(200) < 0.3
    scores = rng.integers(0, 30, 200) / 30  # ties: equal scores keep their order
    gt_classes = np.append(rng.integers(1, 8, 400), [11])
    result = class_results(classes, scores, is_tp, gt_classes)
    assert result.classes.tolist() == np.unique(gt_classes).tolist()
    for c, value, recall in zip(result.classes, result.ap, result.max_recall, strict=True):
        order = np.argsort(-scores[classes == c], kind="stable")
        flags = is_tp[classes == c][order].tolist()
        expected = oracle.average_precision(flags, (gt_classes == c).sum(), QPIC.recall_thresholds)
        assert (value, recall) == pytest.approx(expected, abs=1e-12)
    assert result.num_pred.sum() == np.isin(classes, gt_classes).sum()
    assert result.num_tp.sum() == is_tp[np.isin(classes, gt_classes)].sum()


def test_no_ground_truth_gives_no_class():
    result = class_results(np.array([3]), np.array([0.5]), np.array([True]), np.zeros(0, int))
    assert len(result.ap) == len(result.num_pred) == 0


def test_protocols_are_found_by_name():
    assert all(get_protocol(name) is protocol for name, protocol in PROTOCOLS.items())
    assert get_protocol(MATLAB) is MATLAB
    with pytest.raises(ValueError, match="matlab.*qpic"):
        get_protocol("voc")
