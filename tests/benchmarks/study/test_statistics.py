"""Paired differences over seeds."""

import numpy as np
import pytest
from scipy import stats


def test_paired_interval_is_students(comparison, record):
    gains = [0.01, 0.03, -0.01, 0.02]
    records = {}
    for seed, gain in enumerate(gains):
        base = 0.4 + 0.05 * seed  # seeds differ by more than arms do; pairing takes that out
        records |= {r.run: r for r in (record(seed=seed, full=base), record("AJL", seed=seed, full=base + gain))}
    records |= {r.run: r for r in [record("AJL", seed=9, full=0.9)]}  # without a baseline: not counted
    result = comparison.paired(records, "normal", "AJL", comparison.final("full"))
    np.testing.assert_allclose(result.differences, gains, atol=1e-12)
    low, high = stats.ttest_1samp(gains, 0).confidence_interval(0.95)
    assert result.mean - result.half_width == pytest.approx(low)
    assert result.mean + result.half_width == pytest.approx(high)
    assert result.verdict == "open"


@pytest.mark.parametrize(
    ("gains", "verdict"), [([0.02, 0.021, 0.019], "helps"), ([-0.02, -0.021], "hurts"), ([0.5], "open")]
)
def test_verdicts(comparison, gains, verdict):
    assert comparison.Paired(np.array(gains)).verdict == verdict


@pytest.mark.parametrize(("level", "expected"), [(0.1, 80), (0.25, 200), (0.375, 250), (0.5, 300), (0.6, np.nan)])
def test_iterations_to_a_level(comparison, record, level, expected):
    assert comparison.iterations_to(record(full=0.5), level) == pytest.approx(expected, nan_ok=True)


def test_verbs_average_their_triplets(comparison, record):
    records = {r.run: r for s in (0, 1) for r in (record(seed=s, full=0.4), record("AJL", seed=s, full=0.6))}
    gains = comparison.verb_gains(records, "normal", "AJL")
    assert set(gains) == {"ride", "wave"}
    assert gains["ride"].mean == pytest.approx(0.15) and gains["wave"].mean == 0
