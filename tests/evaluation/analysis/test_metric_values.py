"""Intervals of metrics: what resampling does to them."""

from types import SimpleNamespace

import numpy as np
import pytest

from hqm_mmdet.evaluation.analysis import metric_values, paired_metrics
from hqm_mmdet.evaluation.metrics import HOIMetric


def run_with(mean, num_images=40):
    """A run whose one metric is a function of the image weights."""
    ranking = SimpleNamespace(num_images=num_images, means=lambda w=None: dict(full=mean(w)))
    return SimpleNamespace(ranking=ranking, key=lambda name: f"hico/{name}")


def lifted(weights=None):
    """Small, and lifted by every resample, as the AP of rare classes is."""
    return 0.001 if weights is None or weights.max() == 1 else 0.01 * weights.max() + 0.001 * weights[0]


def test_intervals_of_fractions_stay_fractions():
    """The shift of a resample's lift would push the lower end below 0, the upper end of 1 minus that above 1."""
    low_run, high_run = run_with(lifted), run_with(lambda w=None: 1 - lifted(w))
    [small], [large] = (metric_values(run, resamples=50) for run in (low_run, high_run))
    assert small.low == 0 < small.value < small.high and large.low < large.value < large.high == 1
    [first], [second], _ = paired_metrics(low_run, high_run, resamples=50)
    assert (first, second) == (small, large)


@pytest.mark.parametrize("fractions", [True, False])
def test_intervals_of_a_metric(fractions):
    """A metric in pixels may say 3 or -3."""

    class Shift(HOIMetric):
        FRACTIONS = fractions

        def make_record(self, sample):
            return sample

        def rank(self, records):
            means = lambda w=None: {key: sign * lifted(w) for key, sign in (("up", 1), ("down", -1))}  # noqa: E731
            return SimpleNamespace(num_images=40, means=means, table=str)

    metrics, _ = Shift(bootstrap=50).summarize([])
    assert (metrics["up_low"] == 0, metrics["down_low"] == 0) == (fractions, fractions)
    assert (metrics["up_low"] < 0) == (metrics["down_low"] < 0) == (not fractions)


def test_differences_are_paired():
    """Both runs move with the resample, their difference does not."""
    shared = lambda w=None: 0.5 if w is None else 0.3 + 0.2 * float(w[:20].mean())  # noqa: E731
    better = lambda w=None: shared(w) + 0.01  # noqa: E731
    [first], [second], [difference] = paired_metrics(run_with(shared), run_with(better), resamples=200)
    assert first.high - first.low > 0.05 and second.high - second.low > 0.05
    assert (difference.low, difference.high) == pytest.approx((0.01, 0.01))


def test_intervals_cover():
    """Of 200 test sets drawn from one distribution, about 95 of 100 intervals hold its mean."""
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        scores = rng.random(80) < 0.4
        mean = lambda w=None, scores=scores: float(np.average(scores, weights=w))  # noqa: E731
        [metric] = metric_values(run_with(mean, 80), resamples=200)
        covered += metric.low <= 0.4 <= metric.high
    assert 180 <= covered <= 198
