#!/usr/bin/env python
"""Make the ToyHOI data set: ``make_toy_hoi.py data/toy_hoi``."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / "hqm_mmdet").is_dir():  # a checkout runs its own package, installed or not
    sys.path.insert(0, str(ROOT))

from hqm_mmdet_cli.make_toy import make_toy

if __name__ == "__main__":
    make_toy()
