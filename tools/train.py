#!/usr/bin/env python
"""Train a model: ``train.py CONFIG``. Several processes: ``dist_train.sh``, ``slurm_train.sh``."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if (ROOT / "hqm_mmdet").is_dir():  # a checkout runs its own package, installed or not
    sys.path.insert(0, str(ROOT))

from hqm_mmdet_cli.train import train

if __name__ == "__main__":
    train()
