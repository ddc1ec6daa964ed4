import numpy as np
import pytest

from hqm_mmdet.evaluation.functional import bootstrap_intervals, rank_candidates
from hqm_mmdet.evaluation.functional.protocol import NUMPY_THRESHOLDS


def random_ranking(seed, num_images=6, scores=None):
    rng = np.random.default_rng(seed)
    n, m = 150, 60
    data = dict(
        pred_classes=rng.integers(0, 4, n),
        scores=rng.permutation(n) / n,
        is_tp=rng.random(n) < 0.4,
        gt_classes=rng.integers(0, 4, m),
        pred_image=rng.integers(0, num_images, n),
        gt_image=rng.integers(0, num_images, m),
    )
    return data


@pytest.mark.parametrize("thresholds", [NUMPY_THRESHOLDS, None], ids=["points", "area"])
@pytest.mark.parametrize("seed", range(5))
def test_weights_equal_repeated_images(seed, thresholds):
    """Of a repeated image each candidate stands for several; precision is read after the last of them."""
    data = random_ranking(seed)
    weights = np.array([2, 0, 1, 3, 0, 1])
    ours = rank_candidates(**data).results(thresholds, weights)
    copies = np.repeat(np.arange(150), weights[data["pred_image"]])
    truths = np.repeat(np.arange(60), weights[data["gt_image"]])
    for k, c in enumerate(ours.classes):
        rows = copies[data["pred_classes"][copies] == c]
        rows = rows[np.argsort(-data["scores"][rows], kind="stable")]
        num_gt = (data["gt_classes"][truths] == c).sum()
        last = np.append(np.flatnonzero(np.diff(rows)), len(rows) - 1)
        hits = np.cumsum(data["is_tp"][rows])[last]
        recall, precision = hits / num_gt, hits / (last + 1)
        if thresholds is None:
            best = np.maximum.accumulate(precision[::-1])[::-1]
            expected = (np.diff(recall, prepend=0) * best).sum()
        else:
            expected = np.mean([precision[recall >= t].max(initial=0) for t in thresholds])
        assert ours.ap[k] == pytest.approx(expected, abs=1e-12)
        assert (ours.num_gt[k], ours.num_pred[k], ours.num_tp[k]) == (num_gt, len(rows), hits[-1])


def test_weights_of_one_change_nothing():
    ranked = rank_candidates(**random_ranking(0))
    plain, weighted = ranked.results(), ranked.results(image_weights=np.ones(6, int))
    np.testing.assert_array_equal(plain.ap, weighted.ap)
    np.testing.assert_array_equal(plain.num_pred, weighted.num_pred)


def test_class_that_a_resample_loses_is_nan():
    ranked = rank_candidates(
        np.array([0, 1]), np.array([0.9, 0.8]), [True, True], np.array([0, 1]), np.array([0, 1]), np.array([0, 1])
    )
    result = ranked.results(image_weights=np.array([2, 0]))
    assert result.ap[0] == pytest.approx(1) and np.isnan(result.ap[1]) and np.isnan(result.max_recall[1])


def test_intervals_of_a_mean():
    """Of n numbers the mean varies with the standard error."""
    values = np.random.default_rng(0).normal(size=400)
    intervals = bootstrap_intervals(lambda w: dict(mean=(values * w).sum() / w.sum()), 400, 500)
    low, high = intervals["mean"]
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.15)


def test_intervals_are_centred_whatever_resampling_adds():
    intervals = bootstrap_intervals(lambda w: dict(largest=float(w.max()), none=float("nan")), 50, 200)
    assert intervals["largest"][0] <= 1 <= intervals["largest"][1]  # resamples are all well above
    assert np.isnan(intervals["none"]).all()


@pytest.mark.parametrize(("images", "samples"), [(0, 10), (3, 0)])
def test_nothing_to_draw(images, samples):
    with pytest.raises(ValueError, match=f"{samples} resamples of {images} images"):
        bootstrap_intervals(lambda w: {}, images, samples)
