"""All metrics with confidence intervals."""

from collections.abc import Callable, Mapping

import numpy as np
from rich.progress import Progress

from ..functional import bootstrap_intervals, within_fractions
from .model import MetricDifference, MetricValue
from .run import Run

Means = Mapping[str, float]


def metric_values(run: Run, resamples: int = 0, progress: bool = False) -> tuple[MetricValue, ...]:
    """Metrics of a run.

    Args:
        run (Run): the run.
        resamples (int): resamples of the images for 95 % confidence intervals; 0 gives none.
        progress (bool): show a progress bar.

    Returns:
        tuple[MetricValue, ...]: in the order of the metric.
    """
    means = run.ranking.means()
    intervals = _intervals(run.ranking.means, run.ranking.num_images, resamples, progress)
    return tuple(_value(run, key, value, intervals.get(key, ())) for key, value in means.items())


def paired_metrics(
    first: Run, second: Run, resamples: int = 0, progress: bool = False
) -> tuple[tuple[MetricValue, ...], tuple[MetricValue, ...], tuple[MetricDifference, ...]]:
    """Metrics of two runs and their differences, all from the same resamples.

    Args:
        first, second (Run): runs on the same images.
        resamples (int): see :func:`metric_values`.
        progress (bool): show a progress bar.

    Returns:
        tuple: values of the first and the second run, as :func:`metric_values`; differences, second minus first, of the
        metrics that both have.
    """
    runs = dict(first=first, second=second)

    def evaluate(weights: np.ndarray | None = None) -> dict[tuple[str, str], float]:
        means = {side: run.ranking.means(weights) for side, run in runs.items()}
        values = {(side, key): value for side, each in means.items() for key, value in each.items()}
        shared = [key for key in means["first"] if key in means["second"]]
        return values | {("difference", key): means["second"][key] - means["first"][key] for key in shared}

    means, intervals = evaluate(), _intervals(evaluate, first.ranking.num_images, resamples, progress)

    def keys(side: str) -> list[str]:
        return [key for at, key in means if at == side]

    def interval(side: str, key: str) -> tuple[float, ...]:
        return intervals.get((side, key), ())

    values = (
        tuple(_value(run, key, means[side, key], interval(side, key)) for key in keys(side))
        for side, run in runs.items()
    )
    differences = tuple(
        MetricDifference(first.key(key), means["first", key], means["second", key], *interval("difference", key))
        for key in keys("difference")
    )
    return *values, differences


def _value(run: Run, key: str, value: float, interval: tuple[float, ...]) -> MetricValue:
    return MetricValue(run.key(key), value, *(within_fractions(interval) if interval else ()))


def _intervals(evaluate: Callable, num_images: int, resamples: int, progress: bool) -> dict:
    if not resamples or num_images < 2:  # resamples of one image are all the same
        return {}
    with Progress(disable=not progress) as bar:
        task = bar.add_task(f"{resamples} resamples of the images", total=resamples + 1)  # one more: all images

        def counted(weights: np.ndarray) -> Means:
            bar.advance(task)
            return evaluate(weights)

        intervals = bootstrap_intervals(counted, num_images, resamples)
    return {key: interval for key, interval in intervals.items() if not np.isnan(interval).any()}
