"""Does suppression of pairs that do not interact help a detector? Trains what is missing, rewrites the page's tables.

Hosts are QPIC and QPIC + HQM on the toy set, trained by the study's machinery (benchmarks/study) without the last 400
training images. A network per seed learns from the boxes that QPIC finds in the same images; thresholds are searched on
the 400. Stop it at any time: finished trainings are kept, and each outcome is a small file in docs/suppression.
"""

import argparse
import os
import sys
from argparse import Namespace
from dataclasses import asdict
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
os.environ.setdefault("OMP_NUM_THREADS", "1")

from mmengine.registry import init_default_scope  # noqa: E402
from study.records import as_lines  # noqa: E402
from study.run import current_commit, versions  # noqa: E402

from hqm_mmdet.utils.atomic_io import write_atomically  # noqa: E402
from hqm_mmdet.utils.launch import run_tool  # noqa: E402
from suppression.hosts import HOSTS, IMAGES, make_data, predict, train_hosts  # noqa: E402
from suppression.networks import TEACHER, train_network  # noqa: E402
from suppression.outcomes import JudgedFile, Outcome, all_rules  # noqa: E402
from suppression.table import write_page  # noqa: E402


def main(args: Namespace) -> None:
    """Seed by seed: hosts, network, what it does to each host, page."""
    if args.page_only:
        write_page(args.page, args.records)
        return
    init_default_scope("hqm_mmdet")
    work_dir = args.work_dir.resolve()
    data = make_data(work_dir)
    for seed in range(args.seeds):
        train_hosts(seed + 1, args.records / "hosts", work_dir)
        taught_by = predict(TEACHER, seed, "fit", work_dir)
        checkpoint = train_network(taught_by, data, work_dir / "networks" / str(seed), seed)
        for host in HOSTS:
            out = args.records / Outcome(host, seed, "", {}, "", {}, {}, {}).file_name()
            if not out.is_file():
                write_atomically(out, as_lines(asdict(judge(host, seed, checkpoint, data, work_dir))).encode())
                print(f"{out.name} written", flush=True)
        write_page(args.page, args.records)
    print(f"{args.page} written")


def judge(host: str, seed: int, checkpoint: Path, data: Path, work_dir: Path) -> Outcome:
    """A host of a seed under every rule."""
    files = {
        part: JudgedFile(predict(host, seed, part, work_dir), data, part, data / IMAGES[part], checkpoint)
        for part in ("heldout", "test")
    }
    thresholds = files["heldout"].search()
    names = files["test"].truth.metric.dataset_meta["classes"]
    return Outcome(
        host=host,
        seed=seed,
        commit=current_commit(),
        versions=versions(),
        date=date.today().isoformat(),
        network=files["test"].network(),
        thresholds={names[label]: list(pair) for label, pair in sorted(thresholds.per_class.items())},
        rules=all_rules(files["test"], thresholds, work_dir / "changed.json"),
    )


def parse() -> Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page-only", action="store_true", help="train nothing, write the tables from the records")
    parser.add_argument("--seeds", type=int, default=3, help="of hosts and networks")
    parser.add_argument("--records", type=Path, default=ROOT / "docs" / "suppression", help="folder of the records")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "interactiveness.md")
    parser.add_argument("--work-dir", type=Path, default=ROOT / "work_dirs" / "suppression", help="data and weights")
    parser.add_argument("--debug", action="store_true", help="show the traceback of every error")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run_tool(main, parse()))
