#!/usr/bin/env python
"""Check a data set: lists every problem, prints numbers. Exit status 0: sound; 1: problems; 2: it can't be checked.

Examples:
    check_dataset.py configs/qpic_hico.py
    check_dataset.py configs/qpic_vcoco.py --splits test --no-images
    check_dataset.py --dataset HOIDataset --names data/own/names.json \\
        --ann-file data/own/train.json data/own/test.json --images data/own/images
"""

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # a checkout runs its own package, installed or not

from mmengine.config import Config, DictAction

from hqm_mmdet.datasets.checking import ERROR, WARNING, check_dataset
from hqm_mmdet.datasets.checking.sources import datasets_of_config, datasets_of_files
from hqm_mmdet.utils import write_atomically
from hqm_mmdet.utils.launch import UsageError, run_tool

SPLITS = ("train", "val", "test")


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", nargs="?", help="config whose data sets are checked")
    parser.add_argument("--splits", nargs="+", choices=SPLITS, default=SPLITS, help="which of the config's data sets")
    parser.add_argument("--cfg-options", nargs="+", action=DictAction, default={}, metavar="KEY=VALUE")
    files = parser.add_argument_group("without a config")
    files.add_argument("--dataset", metavar="TYPE", help="HICODetDataset, VCOCODataset, HOIADataset, HOIDataset ...")
    files.add_argument("--ann-file", nargs="+", metavar="FILE", help="annotation files; training first")
    files.add_argument("--images", nargs="+", metavar="FOLDER", help="one image folder, or one per annotation file")
    files.add_argument("--names", metavar="FILE", help="JSON with classes and verbs, for --dataset HOIDataset")
    files.add_argument("--coco-file", metavar="FILE", help="COCO instances, for official V-COCO labels")
    parser.add_argument("--no-images", action="store_true", help="check annotations only")
    parser.add_argument("--workers", type=int, default=4, help="threads that read images (default 4)")
    parser.add_argument("--max-shown", type=int, metavar="N", help="print at most N problems of a kind")
    parser.add_argument("--json", metavar="FILE", help="write all problems and numbers there")
    parser.add_argument("--strict", action="store_true", help="exit status 1 for warnings too")
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    parser.add_argument("--debug", action="store_true", help="show the traceback of every error")
    args = parser.parse_args()
    if bool(args.config) == bool(args.dataset):
        parser.error("give either a config or --dataset with --ann-file")
    if args.dataset and not args.ann_file:
        parser.error("--dataset needs --ann-file")
    return args


def load_datasets(args: argparse.Namespace) -> dict:
    """Data sets by name, annotations not yet read."""
    if args.dataset:
        return datasets_of_files(args.dataset, args.ann_file, args.images, args.names, args.coco_file)
    path = next((place for place in (Path(args.config), ROOT / args.config) if place.is_file()), None)
    if path is None:
        raise UsageError(f"Config {args.config} does not exist, neither here nor in {ROOT}.")
    cfg = Config.fromfile(path)
    cfg.merge_from_dict(args.cfg_options)
    return datasets_of_config(cfg, args.splits)


def main(args: argparse.Namespace) -> int:
    """Check, print; returns the exit status."""
    reports = check_dataset(load_datasets(args), not args.no_images, args.workers, not args.quiet)
    for report in reports:
        print(report.render(args.max_shown))
    if args.json:
        content = {report.name: report.as_dict() for report in reports}
        write_atomically(args.json, json.dumps(content, indent=1).encode())
    levels = (ERROR, WARNING) if args.strict else (ERROR,)
    return int(any(report.count(level) for report in reports for level in levels))


if __name__ == "__main__":
    arguments = parse_args()
    sys.exit(run_tool(main, arguments))
