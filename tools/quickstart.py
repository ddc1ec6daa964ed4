#!/usr/bin/env python
"""From nothing to pictures on the toy set: ``quickstart.py``, see --help."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if (ROOT / "hqm_mmdet").is_dir():  # a checkout runs its own package, installed or not
    sys.path.insert(0, str(ROOT))

from hqm_mmdet_cli.quickstart import quickstart

if __name__ == "__main__":
    quickstart()
