#!/usr/bin/env python
"""How long ``hqm-mmdet`` takes to answer ``--help`` and mistakes, as a share of the time of ``import torch``.

    python benchmarks/start_up.py

The promise is at most half. Prints the median of several starts; other work on the machine moves the numbers,
hardly the shares. No test measures time: `tests/cli/test_start_up.py` asserts that nothing heavy is imported.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from hqm_mmdet_cli import COMMANDS

MISTAKES = (
    ("predcit",),
    ("train", "qpic_hqm_tyo"),
    ("train", "qpic_hqm_toy", "--epochs", "0"),
    ("test", "qpic_hqm_toy", "none.pth"),
    ("predict", "none.jpg", "--checkpoint", "none.pth"),
    ("eval", "none.json", "--ann-file", "none.json"),
)


def median_seconds(words: list[str], repeats: int) -> float:
    """Wall clock of a process, median of several."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run([sys.executable, *words], env=environment, capture_output=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5, help="starts of each; default 5")
    repeats = parser.parse_args().repeats
    torch = median_seconds(["-c", "import torch"], repeats)
    print(f"{'import torch':<52} {torch:5.2f} s")
    worst = 0.0
    for words in [("--help",), *((name, "--help") for name in COMMANDS), *MISTAKES]:
        seconds = median_seconds(["-m", "hqm_mmdet_cli", *words], repeats)
        worst = max(worst, seconds / torch)
        print(f"hqm-mmdet {' '.join(words):<42} {seconds:5.2f} s  {seconds / torch:4.0%}")
    print(f"at most {worst:.0%} of import torch")


if __name__ == "__main__":
    main()
