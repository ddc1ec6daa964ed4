#!/usr/bin/env python
"""Evaluate a checkpoint: ``test.py CONFIG CHECKPOINT``. Several processes: ``dist_test.sh``, ``slurm_test.sh``."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if (ROOT / "hqm_mmdet").is_dir():  # a checkout runs its own package, installed or not
    sys.path.insert(0, str(ROOT))

from hqm_mmdet_cli.test import test

if __name__ == "__main__":
    test()
