#!/usr/bin/env python
"""Is interactiveness learned on some verbs of use for others? On the toy set, with two vocabularies of verbs.

An image belongs to a vocabulary if all its pairs do verbs of it; images of both are left out. The small network
(``configs/interactiveness_toy.py``) is trained on one vocabulary and tested on both, on pairs of annotated boxes.
Writes one JSON file per training and test below docs/suppression/transfer, and the table of all that are there into
docs/interactiveness.md. Trainings whose records are there are not repeated. ``--skip-negative-objects`` trains as TIN's
released code does instead.
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
from hqm_mmdet.datasets import ToyHOIDataset
from hqm_mmdet.utils.atomic_io import write_atomically

VOCABULARIES = {
    "A": ("hold", "drink_from", "push", "throw", "wave"),
    "B": ("carry", "kick", "sit_on", "stand_on", "ride", "point_at"),
}


def split(annotations: Path, out: Path) -> dict[str, dict[str, int]]:
    """Annotation files of both vocabularies for both splits; returns numbers of images."""
    verbs = ToyHOIDataset.METAINFO["verbs"]
    counts = {}
    for split_name in ("trainval", "test"):
        entries = json.loads((annotations / f"{split_name}_toy.json").read_text())
        for name, members in VOCABULARIES.items():
            ids = {verbs.index(verb) + 1 for verb in members}
            kept = [
                e for e in entries if e["hoi_annotation"] and {h["category_id"] for h in e["hoi_annotation"]} <= ids
            ]
            (out / f"{split_name}_{name}.json").write_text(json.dumps(kept))
            counts.setdefault(name, {})[split_name] = len(kept)
    return counts


def config(data: Path, files: Path, train: str, test: str, args: argparse.Namespace, seed: int) -> Config:
    """The toy config on annotation files of the vocabularies."""
    cfg = Config.fromfile(ROOT / "configs" / "interactiveness_toy.py")
    cfg.model.skip_negative_objects = args.skip_negative_objects
    cfg.randomness = dict(seed=seed)
    cfg.work_dir, cfg.log_level = str(args.work_dir / "runs"), "WARNING"
    cfg.experiment_name = f"{record_name(args, train, test, seed)}_work"  # mmengine keeps runners by name
    cfg.train_cfg.max_epochs, cfg.train_cfg.val_interval = args.epochs, args.epochs
    cfg.param_scheduler[1].update(end=args.epochs, milestones=[args.epochs * 2 // 3])
    for loader, ann_file in (("train", f"trainval_{train}"), ("val", f"test_{test}"), ("test", f"test_{test}")):
        dataset = cfg[f"{loader}_dataloader"].dataset
        dataset.update(data_root=str(data), ann_file=str((files / f"{ann_file}.json").resolve()))
        dataset.vocabulary_ann_file = str((data / "annotations/trainval_toy.json").resolve())
    cfg.default_hooks.checkpoint.update(save_best=None, interval=args.epochs)
    return cfg


def run(data: Path, train: str, seed: int, args: argparse.Namespace, counts: dict) -> None:
    """Train on one vocabulary, test on both, write a record per test."""
    init_default_scope("hqm_mmdet")
    runner = Runner.from_cfg(config(data, args.work_dir, train, train, args, seed))
    runner.train()
    for test in VOCABULARIES:
        cfg = config(data, args.work_dir, train, test, args, seed)
        runner.model.eval()
        loop = runner.build_test_loop(cfg.test_cfg | dict(dataloader=cfg.test_dataloader, evaluator=cfg.test_evaluator))
        metrics = loop.run()
        record = dict(arm=arm(args), train=train, test=test, seed=seed, epochs=args.epochs, images=counts)
        record |= dict(metrics=metrics, commit=current_commit(), versions=versions(), date=date.today().isoformat())
        write_atomically(args.records / f"{record_name(args, train, test, seed)}.json", as_lines(record).encode())


def arm(args: argparse.Namespace) -> str:
    """What the table calls the training."""
    return "as released" if args.skip_negative_objects else "objects of all pairs"


def record_name(args: argparse.Namespace, train: str, test: str, seed: int) -> str:
    """Of a record's file."""
    return f"{arm(args).replace(' ', '_')}_{train}_{test}_{seed}"


def table(records: Path) -> str:
    """Mean and standard deviation over seeds, of all records."""
    rows = {}
    for file in sorted(records.glob("*.json")):
        record = json.loads(file.read_text())
        rows.setdefault((record["arm"], record["train"], record["test"]), []).append(record["metrics"])
    lines = ["| training | learned on | tested on | seeds | AP interactive | AP non-interactive | binary mAP |"]
    lines.append("| --- | --- | --- | --- | --- | --- | --- |")
    for (arm, train, test), runs in sorted(rows.items()):
        values = [[100 * run[f"interactiveness/{key}"] for run in runs] for key in KEYS]
        cells = [f"{statistics.mean(v):.1f}" + (f" ± {statistics.stdev(v):.1f}" if len(v) > 1 else "") for v in values]
        lines.append(f"| {arm} | {train} | {test} | {len(runs)} | {' | '.join(cells)} |")
    return "\n".join(lines)


KEYS = ("AP_interactive", "AP_non_interactive", "mAP")


def main() -> None:
    """Run what is asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=ROOT / "data/toy_hoi", help="made by make_toy_hoi.py")
    parser.add_argument("--records", type=Path, default=ROOT / "docs/suppression/transfer")
    parser.add_argument("--page", type=Path, default=ROOT / "docs/interactiveness.md")
    parser.add_argument("--work-dir", type=Path, default=ROOT / "work_dirs/interactiveness_transfer")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--vocabularies", nargs="*", choices=list(VOCABULARIES), default=list(VOCABULARIES))
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--skip-negative-objects", action="store_true")
    args = parser.parse_args()
    for folder in (args.records, args.work_dir):
        folder.mkdir(parents=True, exist_ok=True)
    counts = split(args.data / "annotations", args.work_dir)
    for seed in args.seeds:
        for train in args.vocabularies:
            names = [record_name(args, train, test, seed) for test in VOCABULARIES]
            if not all((args.records / f"{name}.json").is_file() for name in names):
                run(args.data, train, seed, args, counts)
            write_part(args.page, "python benchmarks/interactiveness_transfer.py", table(args.records))
    print(table(args.records))


if __name__ == "__main__":
    main()
