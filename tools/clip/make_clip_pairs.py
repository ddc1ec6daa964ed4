#!/usr/bin/env python
"""A detector file and a CLIP file -> one checkpoint that finds interactions without HOI training.

The checkpoint holds its config, so every command takes it: hqm-mmdet predict photo.jpg --checkpoint OUT
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / "hqm_mmdet").is_dir():  # a checkout runs its own package, installed or not
    sys.path.insert(0, str(ROOT))

from mmengine.config import Config

from hqm_mmdet.apis import build_model
from hqm_mmdet.apis.class_names import class_names
from hqm_mmdet.apis.inference_config import inference_config
from hqm_mmdet.checkpoints import write_checkpoint
from hqm_mmdet.utils.launch import read_config_file, run_tool


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT", help="file to write, .safetensors or .pth")
    parser.add_argument("--config", default="configs/clip_pairs_hico.py", help="Default: configs/clip_pairs_hico.py")
    parser.add_argument("--detector", metavar="FILE", help="the detector's weights. Default: as the config says")
    parser.add_argument("--clip", metavar="FILE", help="CLIP's weights. Default: as the config says")
    parser.add_argument("--debug", action="store_true", help="show the traceback of every error")
    return parser.parse_args(argv)


def main(args: argparse.Namespace) -> None:
    """Read both, write one."""
    cfg = read_config_file(args.config)
    model = cfg.model
    if args.clip:
        model.pair_encoder.clip.weights = model.bbox_head.clip = args.clip
    if args.detector:
        model.instances.checkpoint = args.detector
    built = build_model(cfg, initialise=True)
    built.dataset_meta = {}
    meta = dict(cfg=without_files(cfg).pretty_text, dataset_meta=class_names(built, cfg))
    write_checkpoint(args.out, built.state_dict(), meta)
    print(f"{args.out}: ready for `hqm-mmdet predict IMAGE --checkpoint {args.out}`")


def without_files(cfg: Config) -> Config:
    """What the checkpoint says of itself: its weights are there, so it names no other files but CLIP's text tower."""
    cfg = inference_config(cfg)
    cfg.model.instances.pop("checkpoint", None)
    cfg.model.pair_encoder.clip.weights = None
    return cfg


if __name__ == "__main__":
    sys.exit(run_tool(main, parse_args()))
