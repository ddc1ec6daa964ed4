#!/usr/bin/env python
"""Evaluate a checkpoint: ``test.py CONFIG CHECKPOINT``. Several processes: ``dist_test.sh``, ``slurm_test.sh``."""

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if (ROOT / "hqm_mmdet").is_dir():  # a checkout runs its own package, installed or not
    sys.path.insert(0, str(ROOT))

from mmengine.config import Config

from hqm_mmdet.utils.launch import (
    UsageError,
    build_runner,
    common_arguments,
    load_config,
    require_checkpoint,
    run_tool,
)


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", help="config file; relative paths are also looked up in the project")
    parser.add_argument("checkpoint", help="checkpoint file (.pth or .safetensors)")
    parser.add_argument("--out", metavar="FILE.pkl", help="save all predictions with mmengine's DumpResults")
    parser.add_argument("--show", action="store_true", help="show pictures of the predictions")
    parser.add_argument("--show-dir", help="folder for pictures of the predictions")
    parser.add_argument("--wait-time", type=float, default=2, help="seconds per picture shown")
    return common_arguments(parser).parse_args()


def draw_predictions(cfg: Config, args: argparse.Namespace) -> None:
    """Switch the visualisation hook on."""
    hook = cfg.default_hooks.setdefault("visualization", dict(type="DetVisualizationHook"))
    hook.update(draw=True, show=args.show, wait_time=args.wait_time)
    if args.show_dir:
        hook.test_out_dir = os.path.abspath(args.show_dir)


def dump_predictions(cfg: Config, file: str) -> None:
    """Add a metric that saves what the others see."""
    if not file.endswith((".pkl", ".pickle")):
        raise UsageError(f"--out needs a name that ends in .pkl, got {file}.")
    metrics = cfg.test_evaluator if isinstance(cfg.test_evaluator, list) else [cfg.test_evaluator]
    cfg.test_evaluator = [*metrics, dict(type="DumpResults", out_file_path=file)]


def main(args: argparse.Namespace) -> None:
    """Evaluate as the arguments say."""
    require_checkpoint(args.checkpoint)
    cfg = load_config(args, ROOT)
    cfg.load_from, cfg.resume = args.checkpoint, False
    if args.show or args.show_dir:
        draw_predictions(cfg, args)
    if args.out:
        dump_predictions(cfg, args.out)
    build_runner(cfg).test()


if __name__ == "__main__":
    arguments = parse_args()
    sys.exit(run_tool(main, arguments))
