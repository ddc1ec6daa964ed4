#!/usr/bin/env python
"""Train a model: ``train.py CONFIG``. Several processes: ``dist_train.sh``, ``slurm_train.sh``."""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if (ROOT / "hqm_mmdet").is_dir():  # a checkout runs its own package, installed or not
    sys.path.insert(0, str(ROOT))

from hqm_mmdet.utils.launch import (
    UsageError,
    build_runner,
    common_arguments,
    load_config,
    run_tool,
    set_start,
    use_mixed_precision,
)


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", help="config file; relative paths are also looked up in the project")
    parser.add_argument(
        "--resume",
        nargs="?",
        const="auto",
        metavar="CHECKPOINT",
        help="go on from this checkpoint; without one, from the newest complete checkpoint in the work folder",
    )
    parser.add_argument("--amp", action="store_true", help="mixed precision: bfloat16 where the device has it")
    parser.add_argument("--auto-scale-lr", action="store_true", help="scale the learning rate with the batch size")
    parser.add_argument("--seed", type=int, help="replaces the config's randomness.seed")
    return common_arguments(parser).parse_args()


def main(args: argparse.Namespace) -> None:
    """Train as the arguments say."""
    cfg = load_config(args, ROOT)
    if args.seed is not None:
        cfg.merge_from_dict({"randomness.seed": args.seed})
    if args.amp:
        use_mixed_precision(cfg)
    if args.auto_scale_lr:
        if "base_batch_size" not in cfg.get("auto_scale_lr", {}):
            raise UsageError(f"--auto-scale-lr needs auto_scale_lr.base_batch_size in {args.config}.")
        cfg.auto_scale_lr.enable = True
    set_start(cfg, args.resume)
    build_runner(cfg).train()


if __name__ == "__main__":
    arguments = parse_args()
    sys.exit(run_tool(main, arguments))
