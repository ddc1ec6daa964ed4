#!/usr/bin/env python
"""Does query mining help? A controlled study on the toy set: baseline, GBS, AMM, CJL, PJL, AJL.

All runs start from the same weights, see the same images in the same order and take equally many iterations; only the
mining and the seed differ. The start is a localiser, trained once on another draw of the toy set without verbs, as the
paper's runs start from a DETR trained on COCO. What is finished is not run again, so the study can be stopped and
started anew at any time. Writes the table into docs/study.md and the curves into docs/images/<folder of the runs>.png.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import matplotlib
import numpy as np
from matplotlib import pyplot
from mmengine.config import Config
from page import write_part

from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi

matplotlib.use("Agg")

ABLATIONS = ROOT / "configs" / "ablations"
ARMS = {
    "baseline": ROOT / "configs" / "qpic_toy.py",
    **{arm: ABLATIONS / f"qpic_{arm.lower()}_toy.py" for arm in ("GBS", "AMM", "CJL", "PJL", "AJL")},
}
SPLITS = {"normal": ToySettings(), "position shift": ToySettings(position_shift=True)}
LOCALISER_EPOCHS = 16
METRIC = "hico/full"


@dataclass(frozen=True)
class Run:
    """One training."""

    split: str
    arm: str
    seed: int

    def folder(self, out: Path) -> Path:
        """Where it keeps its files."""
        return out / self.split.replace(" ", "_") / self.arm.lower() / f"seed_{self.seed}"


def schedule(data: Path, epochs: int, learning_rate: float) -> dict:
    """What a study run changes in a toy config: data, length, one process with 8 images, evaluation in every epoch."""
    options = dict.fromkeys((f"{name}_dataloader.dataset.data_root" for name in ("train", "val", "test")), f"{data}/")
    return options | {
        "val_dataloader.num_workers": 0,
        "val_dataloader.persistent_workers": False,
        "val_dataloader.batch_size": 25,
        "train_cfg.max_epochs": epochs,
        "train_cfg.val_interval": 1,
        "param_scheduler.1.end": epochs,
        "param_scheduler.1.milestones": [round(epochs * 0.7), round(epochs * 0.9)],
        "optim_wrapper.optimizer.lr": learning_rate,
        "default_hooks.checkpoint.save_best": None,
        "default_hooks.checkpoint.max_keep_ckpts": 1,
        "visualizer.vis_backends": [dict(type="LocalVisBackend")],
    }


def train(config: Path, options: dict, work_dir: Path, seed: int, processes: int = 1) -> None:
    """Train unless that was done before.

    Raises:
        RuntimeError: the training stopped with an error.
    """
    if (work_dir / "finished").is_file():
        return
    work_dir.mkdir(parents=True, exist_ok=True)
    cfg = Config.fromfile(config)
    cfg.merge_from_dict(options)
    cfg.dump(work_dir / "study_config.py")
    start = [sys.executable, ROOT / "tools" / "train.py", work_dir / "study_config.py"]
    if processes > 1:
        start = ["bash", ROOT / "tools" / "dist_train.sh", work_dir / "study_config.py", processes]
    command = [str(part) for part in (*start, "--work-dir", work_dir, "--seed", seed, "--resume")]
    environment = os.environ | {"PYTHON": sys.executable, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with open(work_dir / "output.log", "a") as log:
        failed = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, env=environment, check=False).returncode
    if failed:
        raise RuntimeError(f"Training ended with exit code {failed}; its output is in {work_dir / 'output.log'}.")
    (work_dir / "finished").touch()


def train_localiser(folder: Path) -> Path:
    """Common start of all runs, also of other lengths; returns its checkpoint."""
    data = make_toy_hoi(folder / "data", ToySettings(seed=1))
    options = schedule(Path(data), LOCALISER_EPOCHS, 4e-4)
    options |= {"train_cfg.val_interval": LOCALISER_EPOCHS, "param_scheduler.1.milestones": [12, 14]}
    train(ABLATIONS / "qpic_toy_localiser.py", options, folder, seed=0, processes=2)
    return folder / f"epoch_{LOCALISER_EPOCHS}.pth"


def train_run(run: Run, out: Path, start: Path, args: argparse.Namespace) -> None:
    """One run of the study."""
    options = schedule(out / "data" / run.split.replace(" ", "_"), args.epochs, args.lr) | {"load_from": str(start)}
    train(ARMS[run.arm], options, run.folder(out), run.seed)
    print(f"{run.split:>15s} {run.arm:>9s} seed {run.seed}: {curve(run, out)[-1, 1]:.4f}", flush=True)


def curve(run: Run, out: Path) -> np.ndarray:
    """(evaluations, 2): iteration and mAP, from mmengine's log.

    Raises:
        ValueError: the log has no evaluation.
    """
    values, per_epoch = {}, 0
    for log in sorted(run.folder(out).glob("*/vis_data/scalars.json")):
        for entry in map(json.loads, log.read_text().splitlines()):
            if METRIC in entry:
                values[entry["step"]] = entry[METRIC]
            elif "iter" in entry:
                per_epoch = max(per_epoch, entry["step"] // entry["epoch"])
    if not values:
        raise ValueError(f"{run.folder(out)}: the log has no {METRIC}; remove the folder and start the study again.")
    return np.array([(epoch * per_epoch, value) for epoch, value in sorted(values.items())])


def iterations_to(level: float, points: np.ndarray) -> float:
    """First iteration at which the line through the points (n, 2) reaches the level; NaN if it never does."""
    points = np.concatenate([[[0, 0]], points])
    above = np.flatnonzero(points[:, 1] >= level)
    if not above.size:
        return float("nan")
    before, after = points[above[0] - 1], points[above[0]]
    return before[0] + (level - before[1]) / (after[1] - before[1]) * (after[0] - before[0])


def spread(values: Iterable[float], digits: int) -> str:
    """Mean and standard deviation over seeds."""
    values = np.array(list(values))
    if np.isnan(values).any():
        return f"not by {np.isnan(values).sum()} of {len(values)} runs"
    return f"{values.mean():.{digits}f} ± {values.std(ddof=1) if len(values) > 1 else 0:.{digits}f}"


def table(curves: dict[Run, np.ndarray], splits: list[str], arms: list[str], seeds: list[int]) -> str:
    """Markdown."""
    lines = [
        "| split | training | final mAP | minus baseline, same seed | iterations to 80 % of baseline's final mAP |",
        "| --- | --- | --- | --- | --- |",
    ]
    for split in splits:
        baseline = np.array([curves[Run(split, "baseline", seed)][-1, 1] for seed in seeds])
        for arm in arms:
            runs = [curves[Run(split, arm, seed)] for seed in seeds]
            final = np.array([run[-1, 1] for run in runs])
            reached = [iterations_to(0.8 * baseline.mean(), run) for run in runs]
            gain = spread(final - baseline, 4) if arm != "baseline" else ""
            lines.append(f"| {split} | {arm} | {spread(final, 4)} | {gain} | {spread(reached, 0)} |")
    return "\n".join(lines)


def plot(curves: dict[Run, np.ndarray], splits: list[str], arms: list[str], seeds: list[int], path: Path) -> None:
    """mAP against iterations, a panel per split: means as lines, standard deviations as bands."""
    figure, axes = pyplot.subplots(
        1, len(splits), figsize=(5.5 * len(splits), 4.2), sharey=True, layout="constrained", squeeze=False
    )
    axes = axes[0]
    for axis, split in zip(axes, splits, strict=True):
        for arm in arms:
            runs = np.stack([curves[Run(split, arm, seed)] for seed in seeds])
            steps, mean, std = runs[0, :, 0], runs[..., 1].mean(0), runs[..., 1].std(0)
            axis.plot(steps, mean, label=arm, color="black" if arm == "baseline" else None, linewidth=1.6)
            axis.fill_between(steps, mean - std, mean + std, alpha=0.12, color=axis.lines[-1].get_color())
        axis.set(title=f"{split} ({len(seeds)} seeds)", xlabel="iteration", ylim=(0, None))
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("mAP on the toy test set")
    axes[0].legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)


def report(out: Path, args: argparse.Namespace) -> None:
    """Rewrite the results in the page; what is written around them stays."""
    runs = [Run(split, arm, seed) for split in args.splits for arm in args.arms for seed in args.seeds]
    curves = {run: curve(run, out) for run in runs}
    picture = args.page.parent / "images" / f"{out.name}.png"
    plot(curves, args.splits, args.arms, args.seeds, picture)
    iterations = int(next(iter(curves.values()))[-1, 0])
    results = (
        f"{len(args.seeds)} seeds, {iterations} iterations of 8 images, mean ± standard deviation over seeds.\n\n"
        f"{table(curves, args.splits, args.arms, args.seeds)}\n\n![mAP against iterations](images/{picture.name})"
    )
    write_part(args.page, f"make {out.name}", results)
    print(results)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "work_dirs" / "study", help="folder of all runs")
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS), help="the baseline is always among them")
    parser.add_argument("--splits", nargs="+", choices=SPLITS, default=list(SPLITS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=6, help="of 250 iterations")
    parser.add_argument("--lr", type=float, default=3e-4)
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="runs at a time")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "study.md")
    args = parser.parse_args()
    args.arms = ["baseline", *(arm for arm in args.arms if arm != "baseline")]
    out = args.out.resolve()

    for split in args.splits:
        make_toy_hoi(out / "data" / split.replace(" ", "_"), SPLITS[split])
    start = train_localiser(out.parent / "study-localiser")
    runs = [Run(split, arm, seed) for seed in args.seeds for split in args.splits for arm in args.arms]
    print(f"{len(runs)} runs, {args.jobs} at a time", flush=True)
    with ThreadPoolExecutor(args.jobs) as pool:
        list(pool.map(partial(train_run, out=out, start=start, args=args), runs))
    report(out, args)


if __name__ == "__main__":
    main()
