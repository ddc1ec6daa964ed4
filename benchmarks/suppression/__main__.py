"""Does suppression of pairs that do not interact help a detector? Trains what is missing, rewrites the page's table.

Stop it at any time: finished trainings are kept. Hosts are trained by the study's machinery (benchmarks/study).
"""

import argparse
import os
import sys
from argparse import Namespace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from hqm_mmdet.utils.launch import run_tool  # noqa: E402
from suppression.hosts import train_hosts  # noqa: E402


def main(args: Namespace) -> None:
    """Hosts, networks, evaluations, page."""
    hosts = train_hosts(args.records / "hosts", args.work_dir.resolve(), args.seeds)
    print(hosts)


def parse() -> Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="of hosts and networks")
    parser.add_argument("--records", type=Path, default=ROOT / "docs" / "suppression", help="folder of the records")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "interactiveness.md")
    parser.add_argument("--work-dir", type=Path, default=ROOT / "work_dirs" / "suppression", help="data and weights")
    parser.add_argument("--debug", action="store_true", help="show the traceback of every error")
    return parser.parse_args()


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(run_tool(main, parse()))
