#!/usr/bin/env python
"""Make the ToyHOI data set.

Example:
    python tools/dataset_converters/make_toy_hoi.py data/toy_hoi
    python tools/dataset_converters/make_toy_hoi.py data/toy_hoi_shift --position-shift
"""

import argparse
import json
import sys
from dataclasses import fields
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout runs its own package, installed or not

from hqm_mmdet.datasets.toy import ToySettings, make_toy_hoi


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; every field of ToySettings is an option."""
    parser = argparse.ArgumentParser(description="Make the ToyHOI data set.")
    parser.add_argument("out_dir", type=Path, help="folder to fill")
    for field in fields(ToySettings):
        option = "--" + field.name.replace("_", "-")
        if field.type is bool:
            parser.add_argument(option, action="store_true", default=field.default)
        else:
            parser.add_argument(option, type=field.type, default=field.default, help=f"default {field.default}")
    parser.add_argument("--overwrite", action="store_true", help="make it anew, whatever data set the folder holds")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Make the data set and print what it holds."""
    args = parse_args(argv)
    try:
        settings = ToySettings(**{field.name: getattr(args, field.name) for field in fields(ToySettings)})
        out_dir = make_toy_hoi(args.out_dir, settings, not args.quiet, args.overwrite)
    except (OSError, ValueError) as error:
        raise SystemExit(f"make_toy_hoi: {error}") from error
    counts = json.loads((out_dir / "toy_hoi.json").read_text(encoding="utf-8"))["counts"]
    for split, numbers in counts.items():
        print(
            f"{out_dir} {split}: {numbers['images']} images, {numbers['boxes']} boxes, "
            f"{numbers['pairs']} pairs, {len(numbers['triplets'])} triplets"
        )


if __name__ == "__main__":
    main()
