#!/usr/bin/env python
"""Make a detection file: ``detect.py CONFIG CHECKPOINT --images FOLDER --out JSON``. See docs/two_stage.md."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if (ROOT / "hqm_mmdet").is_dir():  # a checkout runs its own package, installed or not
    sys.path.insert(0, str(ROOT))

from hqm_mmdet_cli.detect import detect

if __name__ == "__main__":
    detect()
