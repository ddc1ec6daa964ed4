"""What a training iteration of every arm costs on this machine; the arms take turns."""

import csv
import statistics
from collections.abc import Iterable, Mapping
from pathlib import Path

from mmengine.registry import init_default_scope
from toy_iteration import take_turns

from hqm_mmdet.utils.atomic_io import write_atomically

from .plan import ARMS, FAMILIES, Run, Scale, run_config

FILE = "costs.csv"  # beside the records


def measure(arms: Iterable[str], data: Path, scale: Scale, iterations: int) -> dict[str, float]:
    """CPU seconds of an iteration, loading included, by arm: the median, without the first tenth of the iterations.

    Every family is measured in turns of its own, since its arms are compared with each other only.
    """
    init_default_scope("hqm_mmdet")
    wanted, costs = set(arms), {}
    for family in FAMILIES.values():
        measured = [arm for arm in family if arm in wanted and _costs_like(arm) == arm]
        configs = {arm: run_config(Run("", arm, 0), data, scale) for arm in measured}
        for arm, times in take_turns(configs, iterations).items():
            costs[arm] = statistics.median(times[iterations // 10 :])
    return costs


def write_costs(folder: Path, costs: Mapping[str, float]) -> None:
    """Write the file beside the records."""
    lines = ["arm,milliseconds", *(f"{arm},{1000 * seconds:.1f}" for arm, seconds in costs.items())]
    write_atomically(folder / FILE, ("\n".join(lines) + "\n").encode())


def read_costs(folder: Path) -> dict[str, float]:
    """Milliseconds of an iteration by arm; empty where nothing was measured."""
    path = folder / FILE
    if not path.is_file():
        return {}
    with open(path, newline="") as file:
        costs = {row["arm"]: float(row["milliseconds"]) for row in csv.DictReader(file)}
    return {arm: costs[_costs_like(arm)] for arm in ARMS if _costs_like(arm) in costs}


def _costs_like(arm: str) -> str:
    """The arm that does the same in an iteration, wherever it started from."""
    return arm.removeprefix("localised ")
