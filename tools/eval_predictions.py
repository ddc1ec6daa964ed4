#!/usr/bin/env python
"""Evaluate a prediction file: ``eval_predictions.py FILE --dataset hico --ann-file F``. See docs/evaluation.md."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if (ROOT / "hqm_mmdet").is_dir():  # a checkout runs its own package, installed or not
    sys.path.insert(0, str(ROOT))

from hqm_mmdet_cli.eval import evaluate

if __name__ == "__main__":
    evaluate()
