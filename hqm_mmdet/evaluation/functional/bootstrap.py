"""Confidence intervals of any metric by resampling images."""

from collections.abc import Callable

import numpy as np


def bootstrap_intervals(
    evaluate: Callable[[np.ndarray], dict[str, float]],
    num_images: int,
    num_samples: int,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """Percentile intervals over resamples of the images, with replacement, centred on the value of all images.

    The percentiles are shifted by the mean of the resamples minus the value.

    Args:
        evaluate (callable): (I,) int image weights -> metrics, e.g. means of :meth:`RankedCandidates.results`.
        num_images (int): I.
        num_samples (int): number of resamples.
        level (float): probability inside of the interval. Default: 0.95.
        seed (int): of the resamples. Default: 0.

    Returns:
        dict[str, tuple[float, float]]: lower and upper end per metric; NaN where a metric never had a value. The shift
        may push an end over the edge of what the metric can be; see :func:`within_fractions`.

    Raises:
        ValueError: no image, or no resample.
    """
    if num_images < 1 or num_samples < 1:
        raise ValueError(f"cannot draw {num_samples} resamples of {num_images} images; both must be at least 1.")
    rng = np.random.default_rng(seed)
    values, draws = evaluate(np.ones(num_images, np.int64)), []
    for _ in range(num_samples):
        # How often each image was drawn: nothing is matched or sorted again.
        weights = np.bincount(rng.integers(0, num_images, num_images), minlength=num_images)
        draws.append(evaluate(weights))
    return {key: _interval(np.array([draw[key] for draw in draws]), value, level) for key, value in values.items()}


def within_fractions(interval: tuple[float, float]) -> tuple[float, float]:
    """The part of an interval that a fraction can lie in; NaN stays.

    >>> within_fractions((-0.1, 0.3)), within_fractions((0.9, 1.2))
    ((0.0, 0.3), (0.9, 1.0))
    """
    low, high = np.clip(interval, 0.0, 1.0).tolist()
    return low, high


def _interval(draws: np.ndarray, value: float, level: float) -> tuple[float, float]:
    draws = draws[~np.isnan(draws)]
    if not len(draws):
        return float("nan"), float("nan")
    # Centred on the value: a resample repeats images, which lifts the AP of classes with few instances, so that plain
    # percentiles of a mean over many such classes can lie above the value itself.
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2]) + (value - draws.mean())
    return float(low), float(high)
