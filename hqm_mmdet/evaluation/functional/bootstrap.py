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
    """Percentile intervals over resamples of the images, with replacement (Efron and Tibshirani 1993, chapter 13).

    Candidates are matched and sorted once; a resample only says how often each image counts.

    Args:
        evaluate (callable): (I,) int image weights -> metrics, e.g. means of :meth:`RankedCandidates.results`.
        num_images (int): I.
        num_samples (int): Number of resamples.
        level (float): Probability inside of the interval. Defaults to 0.95.
        seed (int): Of the resamples. Defaults to 0.

    Returns:
        dict[str, tuple[float, float]]: Lower and upper end per metric; NaN where a metric never had a value.

    Raises:
        ValueError: No image, or no resample.
    """
    if num_images < 1 or num_samples < 1:
        raise ValueError(f"cannot draw {num_samples} resamples of {num_images} images; both must be at least 1.")
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(num_samples):
        weights = np.bincount(rng.integers(0, num_images, num_images), minlength=num_images)
        draws.append(evaluate(weights))
    return {key: _percentiles(np.array([draw[key] for draw in draws]), level) for key in draws[0]}


def _percentiles(values: np.ndarray, level: float) -> tuple[float, float]:
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
