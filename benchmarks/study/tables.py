"""docs/study.md: tables and figures from records; what people write around them stays."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import pyplot
from page import write_part

from .comparison import (
    Paired,
    Records,
    at_iteration,
    curve_of,
    final,
    iterations_to,
    paired,
    seeds_of,
    verb_gains,
)
from .plan import BASELINE_OF, Experiment, Run, Scale
from .records import Record

matplotlib.use("Agg")


# Of a table; baselines leave the comparisons empty.
COLUMNS = (
    "seeds",
    "mAP",
    "minus baseline [95 % interval]",
    "",
    "rare",
    "rare minus baseline",
    "iterations to baseline's final mAP",
    "ms per iteration",
    "minus baseline at equal time",
)


def write_page(
    page: Path,
    scale: Scale,
    records: Records,
    left_out: dict[Run, str],
    costs: Mapping[str, float],
    again: Iterable[Record] = (),
) -> None:
    """Rewrite all parts that are made from the records of a scale, from the arms' costs of an iteration, and from runs
    that were made ``again`` on another device."""
    suffix = f"_{scale.folder}" if scale.folder else ""
    for name, experiment in scale.experiments.items():
        if experiment.precision is not None:  # more seeds of another table's runs
            continue
        text = experiment_text(experiment, records, costs)
        if name == "strategies" and records:
            text += pictures(page, f"{name}{suffix}", experiment, records)
        write_part(page, f"study.tables: {name}{suffix}", text)
    text = records_text(f"docs/study/{scale.folder}", records, left_out) + devices_text(records, again)
    write_part(page, f"study.tables: records{suffix}", text)


def pictures(page: Path, name: str, experiment: Experiment, records: Records) -> str:
    """Draw curves and verbs beside the page; returns the lines that show them."""
    folder = page.parent / "images"
    folder.mkdir(parents=True, exist_ok=True)
    plot_curves(records, experiment, folder / f"study_{name}.png")
    lines = f"\n\n![mAP against iterations](images/study_{name}.png)"
    if max(len(seeds_of(records, split, "AJL")) for split in experiment.splits) > 1:  # an interval needs two
        plot_verbs(records, experiment, "AJL", folder / f"study_{name}_verbs.png")
        lines += f"\n\n![AJL's gain by verb](images/study_{name}_verbs.png)"
    return lines


def experiment_text(experiment: Experiment, records: Records, costs: Mapping[str, float]) -> str:
    """A table per split."""
    parts = []
    for split in experiment.splits:
        rows = [row for arm in experiment.arms if (row := arm_row(records, split, arm, costs))]
        head = f"| {' | '.join((split, *COLUMNS))} |\n|{' --- |' * (1 + len(COLUMNS))}"
        parts.append("\n".join([head, *rows]) if rows else f"*{split}: no training is finished yet.*")
    return "\n\n".join(parts)


def arm_row(records: Records, split: str, arm: str, costs: Mapping[str, float]) -> str:
    """Empty without a run."""
    runs = [records[Run(split, arm, seed)] for seed in seeds_of(records, split, arm)]
    if not runs:
        return ""
    iterations, baseline = runs[0].final["iteration"], BASELINE_OF[arm]
    cells = [arm, str(len(runs)), spread(final("full"), runs)]
    if arm == baseline:
        cells += ["", "", spread(final("rare"), runs), "", str(iterations)]
    else:
        gain = paired(records, split, arm, final("full"))
        cells += [interval(gain), gain.verdict, spread(final("rare"), runs)]
        cells += [interval(paired(records, split, arm, final("rare"))), reached(records, split, arm)]
    cells.append(f"{costs[arm]:.0f}" if arm in costs else "")
    if arm != baseline and {arm, baseline} <= set(costs):
        # The baseline's curve is read at its end, the arm's where it has cost as much.
        share = min(costs[baseline] / costs[arm], 1)
        cells.append(interval(paired(records, split, arm, at_iteration(iterations * share), final("full"))))
    else:
        cells.append("")
    return f"| {' | '.join(cells)} |"


def spread(measure, runs: list[Record]) -> str:
    """Mean and standard deviation over seeds."""
    values = np.array([measure(run) for run in runs])
    return f"{values.mean():.4f}" + (f" ± {values.std(ddof=1):.4f}" if len(values) > 1 else "")


def interval(difference: Paired) -> str:
    """``+0.0100 [-0.0020, +0.0220]``."""
    if not np.isfinite(difference.half_width):
        return f"{difference.mean:+.4f}" if len(difference.differences) else ""
    low, high = difference.mean - difference.half_width, difference.mean + difference.half_width
    return f"{difference.mean:+.4f} [{low:+.4f}, {high:+.4f}]"


def reached(records: Records, split: str, arm: str) -> str:
    """Mean over the seeds that got there."""
    values = []
    for seed in seeds_of(records, split, arm):
        baseline = records.get(Run(split, BASELINE_OF[arm], seed))
        if baseline is not None:
            values.append(iterations_to(records[Run(split, arm, seed)], baseline.final["full"]))
    there = [value for value in values if np.isfinite(value)]
    if not there:
        return f"0 of {len(values)} seeds"
    return f"{np.mean(there):.0f} ({len(there)} of {len(values)} seeds)"


def plot_curves(records: Records, experiment: Experiment, path: Path) -> None:
    """mAP against iterations, a panel per split, as the paper's figure 3: means as lines, standard errors as bands."""
    splits = experiment.splits
    figure, axes = pyplot.subplots(
        1, len(splits), figsize=(5.5 * len(splits), 4.2), sharey=True, layout="constrained", squeeze=False
    )
    for axis, split in zip(axes[0], splits, strict=True):
        for arm in experiment.arms:
            runs = [curve_of(records[Run(split, arm, seed)]) for seed in seeds_of(records, split, arm)]
            if not runs:
                continue
            points = np.stack(runs)
            mean, error = points[..., 1].mean(0), points[..., 1].std(0) / np.sqrt(len(runs))
            color = "black" if arm == "baseline" else None
            (line,) = axis.plot(points[0, :, 0], mean, label=f"{arm} ({len(runs)})", color=color, linewidth=1.6)
            axis.fill_between(points[0, :, 0], mean - error, mean + error, alpha=0.12, color=line.get_color())
        axis.set(title=split, xlabel="iteration", ylim=(0, None))
        axis.grid(alpha=0.3)
        if axis.lines:
            axis.legend(title="(seeds)")
    axes[0, 0].set_ylabel("mAP on the toy test set")
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def plot_verbs(records: Records, experiment: Experiment, arm: str, path: Path) -> None:
    """Gain of every verb with its interval, a panel per split."""
    splits = experiment.splits
    figure, axes = pyplot.subplots(
        1, len(splits), figsize=(5.5 * len(splits), 4.2), sharex=True, layout="constrained", squeeze=False
    )
    for axis, split in zip(axes[0], splits, strict=True):
        gains = verb_gains(records, split, arm)
        gains = {verb: gain for verb, gain in gains.items() if len(gain.differences) > 1}
        ordered = sorted(gains, key=lambda verb: gains[verb].mean)
        means, widths = [gains[v].mean for v in ordered], [gains[v].half_width for v in ordered]
        axis.barh(range(len(ordered)), means, xerr=widths, color="tab:blue", ecolor="gray", height=0.6)
        axis.set_yticks(range(len(ordered)), ordered)
        axis.axvline(0, color="black", linewidth=0.8)
        axis.set(title=f"{split}: {arm} minus baseline", xlabel="AP, mean over a verb's triplets, 95 % interval")
        axis.grid(alpha=0.3, axis="x")
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def _place(record: Record) -> str:
    """Where a training ran."""
    return f"{record.versions.get('device', 'CPU')}, torch {record.versions['torch']}"


def records_text(folder: str, records: Records, left_out: dict[Run, str]) -> str:
    """How many there are, of which versions, and which do not count."""
    count = f"{len(records)} trainings of {max((r.final['iteration'] for r in records.values()), default=0)} iterations"
    lines = [f"{count}, one JSON file each in `{folder}`:", ""]
    places = Counter(_place(record) for record in records.values())
    for place, number in sorted(places.items()):
        minutes = sorted(record.minutes for record in records.values() if _place(record) == place)
        lines.append(f"* {place}: {number}, of {minutes[0]:.0f} to {minutes[-1]:.0f} minutes")
    for run, reason in sorted(left_out.items()):
        lines.append(f"* left out: `{run.file_name()}` ({reason})")
    return "\n".join(lines)


def devices_text(records: Records, again: Iterable[Record]) -> str:
    """How runs ended that were made on two devices."""
    pairs = [(other, records[other.run]) for other in again if other.run in records]
    pairs = [(other, record) for other, record in pairs if _place(other) != _place(record)]
    if not pairs:
        return ""
    rows = [
        f"| {record.arm}, {record.split}, seed {record.seed} | {_place(record)} | {record.final['full']:.4f} "
        f"| {_place(other)} | {other.final['full']:.4f} | {record.final['full'] - other.final['full']:+.4f} |"
        for other, record in pairs
    ]
    difference = Paired(np.array([record.final["full"] - other.final["full"] for other, record in pairs]))
    head = "| run | counted | mAP | made again | mAP | difference |\n| --- | --- | --- | --- | --- | --- |"
    return "\n".join(["", "", "Runs made twice:", "", head, *rows, "", f"Mean difference: {interval(difference)}."])
