"""Paired comparisons of arms over seeds."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from .plan import BASELINE_OF
from .records import Record, Run

Records = dict[Run, Record]
Measure = Callable[[Record], float]


@dataclass(frozen=True)
class Paired:
    """Difference of two arms, seed by seed.

    Args:
        differences: (n,), arm minus baseline.
    """

    differences: np.ndarray

    @property
    def mean(self) -> float:
        """Over seeds; NaN without any."""
        return float(self.differences.mean()) if len(self.differences) else float("nan")

    @property
    def half_width(self) -> float:
        """Of the 95 % interval of the mean (Student's t); infinite with fewer than two seeds."""
        n = len(self.differences)
        if n < 2:
            return float("inf")
        return float(stats.t.ppf(0.975, n - 1) * self.differences.std(ddof=1) / np.sqrt(n))

    @property
    def verdict(self) -> str:
        """``helps`` and ``hurts`` where the interval leaves out zero; otherwise it is ``open``."""
        if abs(self.mean) > self.half_width:
            return "helps" if self.mean > 0 else "hurts"
        return "open"


def seeds_of(records: Records, split: str, arm: str) -> list[int]:
    """Seeds that were trained, in order."""
    return sorted(run.seed for run in records if run.split == split and run.arm == arm)


def paired(records: Records, split: str, arm: str, measure: Measure, baseline_measure: Measure | None = None) -> Paired:
    """Of an arm and its baseline, over the seeds that both have; ``measure`` serves both unless told otherwise."""
    of_baseline = baseline_measure or measure
    baseline = BASELINE_OF[arm]
    seeds = [seed for seed in seeds_of(records, split, arm) if Run(split, baseline, seed) in records]
    pairs = [(measure(records[Run(split, arm, s)]), of_baseline(records[Run(split, baseline, s)])) for s in seeds]
    values = np.array(pairs, dtype=float).reshape(-1, 2)
    return Paired(values[:, 0] - values[:, 1])


def final(name: str) -> Measure:
    """A metric at the end of training."""
    return lambda record: record.final[name]


def curve_of(record: Record, name: str = "full") -> np.ndarray:
    """(evaluations + 1, 2): iteration and metric, from (0, 0) on."""
    return np.array([(0, 0.0), *((point["iteration"], point[name]) for point in record.curve)])


def iterations_to(record: Record, level: float) -> float:
    """First iteration at which the line through the evaluations reaches the level; NaN if it never does."""
    points = curve_of(record)
    above = np.flatnonzero(points[:, 1] >= level)
    if not above.size:
        return float("nan")
    after = above[0]
    if after == 0:
        return 0.0
    (x0, y0), (x1, y1) = points[after - 1], points[after]
    return float(x0 + (level - y0) / (y1 - y0) * (x1 - x0))


def at_iteration(iteration: float) -> Measure:
    """mAP on the line through the evaluations, at most the final one."""
    return lambda record: float(np.interp(iteration, *curve_of(record).T))


def verb_gains(records: Records, split: str, arm: str) -> dict[str, Paired]:
    """Gain of each verb: mean AP of its triplets, paired over seeds."""
    some = next((r for run, r in records.items() if run.split == split and run.arm == arm), None)
    verbs = sorted({triplet.split()[0] for triplet in some.triplet_ap}) if some else []
    return {verb: paired(records, split, arm, _verb_ap(verb)) for verb in verbs}


def _verb_ap(verb: str) -> Measure:
    return lambda record: float(np.mean([ap for name, ap in record.triplet_ap.items() if name.split()[0] == verb]))
