#!/usr/bin/env python
"""Convert a checkpoint of another code base: ``convert.py SRC DST``. See docs/checkpoints.md."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / "hqm_mmdet").is_dir():  # a checkout runs its own package, installed or not
    sys.path.insert(0, str(ROOT))

from hqm_mmdet_cli.convert import convert

if __name__ == "__main__":
    convert()
