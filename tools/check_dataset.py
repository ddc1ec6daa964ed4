#!/usr/bin/env python
"""Check a data set: ``check_dataset.py CONFIG``. See docs/data.md."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if (ROOT / "hqm_mmdet").is_dir():  # a checkout runs its own package, installed or not
    sys.path.insert(0, str(ROOT))

from hqm_mmdet_cli.check_data import check_data

if __name__ == "__main__":
    check_data()
