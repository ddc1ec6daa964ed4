#!/usr/bin/env python
"""Convert published annotations: ``to_hoia.py FORMAT SOURCE OUT``. See docs/data.md."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / "hqm_mmdet").is_dir():  # a checkout runs its own package, installed or not
    sys.path.insert(0, str(ROOT))

from hqm_mmdet_cli.to_hoia import to_hoia

if __name__ == "__main__":
    to_hoia()
