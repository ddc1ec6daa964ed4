#!/usr/bin/env python
"""Do hard positives help two-stage detectors? UPT and PViC on the toy set, with and without, on annotated boxes.

Trains ``configs/{upt,pvic}[_hqm]_toy.py`` with several seeds; detectors without and with mining start from the same
weights. Writes one JSON file per training below docs/hard_pairs, and the table of all that are there into
docs/two_stage.md. Trainings whose records are there are not repeated.
"""

import argparse
import json
import statistics
import sys
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]  # the checkout's package

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from page import write_part
from study.records import as_lines
from study.run import current_commit, versions

import hqm_mmdet  # noqa: F401  registers everything
from hqm_mmdet.utils.atomic_io import write_atomically

COMMAND = "python benchmarks/hard_pairs.py"
METHODS = {"upt": "UPT", "pvic": "PViC"}
ARMS = {"": "plain", "_hqm": "with hard pairs"}
KEYS = ("hico/full", "hico/rare", "hico/non_rare")


def config(method: str, arm: str, seed: int, args: argparse.Namespace) -> Config:
    """A toy config for the wanted number of epochs, on the wanted data."""
    cfg = Config.fromfile(ROOT / "configs" / f"{method}{arm}_toy.py")
    name = record_name(method, arm, seed)
    cfg.randomness, cfg.log_level = dict(seed=seed), "WARNING"
    cfg.work_dir, cfg.experiment_name = str(args.work_dir / name), f"{name}_work"  # mmengine keeps runners by name
    cfg.train_cfg.max_epochs, cfg.train_cfg.val_interval = args.epochs, args.epochs
    milestones = [round(args.epochs * share) for share in (0.7, 0.87)]
    cfg.param_scheduler[1].update(end=args.epochs, milestones=milestones)
    for loader in ("train", "val", "test"):
        cfg[f"{loader}_dataloader"].dataset.data_root = f"{args.data}/"
    cfg.default_hooks.checkpoint.update(save_best=None, interval=args.epochs)
    return cfg


def run(method: str, arm: str, seed: int, args: argparse.Namespace) -> None:
    """Train, test, write a record."""
    init_default_scope("hqm_mmdet")
    runner = Runner.from_cfg(config(method, arm, seed, args))
    runner.train()
    metrics = {key: float(value) for key, value in runner.val_loop.run().items() if key in KEYS}
    record = dict(arm=ARMS[arm], method=METHODS[method], seed=seed, config=f"configs/{method}{arm}_toy.py")
    record |= dict(epochs=args.epochs, images=len(runner.train_dataloader.dataset), metrics=metrics)
    record |= dict(commit=current_commit(), versions=versions(), date=date.today().isoformat())
    write_atomically(args.records / f"{record_name(method, arm, seed)}.json", as_lines(record).encode())


def record_name(method: str, arm: str, seed: int) -> str:
    """Of a record's file."""
    return f"{method}{arm}_{seed}"


def table(records: Path) -> str:
    """Mean and standard deviation over seeds, of all records, and of the differences seed by seed."""
    found = {(r["method"], r["arm"], r["seed"]): r for r in (json.loads(f.read_text()) for f in records.glob("*.json"))}
    lines = ["| | pairs | seeds | mAP full | rare | non-rare |", "| --- | --- | --- | --- | --- | --- |"]
    for method in METHODS.values():
        for arm in ARMS.values():
            runs = [r["metrics"] for key, r in sorted(found.items()) if key[:2] == (method, arm)]
            if runs:
                cells = [spread([100 * run[key] for run in runs]) for key in KEYS]
                lines.append(f"| {method} | {arm} | {len(runs)} | {' | '.join(cells)} |")
        seeds = [seed for (name, arm, seed) in sorted(found) if name == method and arm == ARMS["_hqm"]]
        both = [seed for seed in seeds if (method, ARMS[""], seed) in found]
        if both:
            arms = [[found[method, arm, seed]["metrics"] for seed in both] for arm in ARMS.values()]
            cells = [spread([100 * (h[key] - p[key]) for p, h in zip(*arms, strict=True)]) for key in KEYS]
            lines.append(f"| {method} | difference | {len(both)} | {' | '.join(cells)} |")
    sizes = sorted({(record["epochs"], record["images"]) for record in found.values()})
    notes = [f"{epochs} epochs of {images} images" for epochs, images in sizes]
    return "\n".join([*lines, "", f"Made by `{COMMAND}`: {', '.join(notes) or 'no record yet'}."])


def spread(values: list[float]) -> str:
    """``41.2 ± 0.3``."""
    deviation = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.1f}{deviation}"


def main() -> None:
    """Run what is asked for and lacks a record, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT / "data/toy_hoi", help="made by make_toy_hoi.py")
    parser.add_argument("--records", type=Path, default=ROOT / "docs/hard_pairs")
    parser.add_argument("--page", type=Path, default=ROOT / "docs/two_stage.md")
    parser.add_argument("--work-dir", type=Path, default=ROOT / "work_dirs/hard_pairs")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--methods", nargs="*", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--epochs", type=int, default=6)
    args = parser.parse_args()
    args.records.mkdir(parents=True, exist_ok=True)
    for seed in args.seeds:
        for method in args.methods:
            for arm in ARMS:
                if not (args.records / f"{record_name(method, arm, seed)}.json").is_file():
                    run(method, arm, seed, args)
                write_part(args.page, COMMAND, table(args.records))
    write_part(args.page, COMMAND, table(args.records))  # with `--seeds` alone, of what is there
    print(table(args.records))


if __name__ == "__main__":
    main()
