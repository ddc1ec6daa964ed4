"""Does query mining help? Trains what the study lacks and rewrites docs/study.md from all records.

Stop it at any time: finished trainings are kept, one small file each below docs/study/. Start it again, here or on
another machine, and it goes on where it stopped. Records made with another config, other data, or code that trains
differently are never mixed in: they are named, and left out or refused.
"""

import argparse
import os
import sys
import time
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE_SECONDS = 60  # between two writings of the page, which takes seconds itself
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from argparse import Namespace  # noqa: E402

import torch  # noqa: E402

from hqm_mmdet.datasets.toy import make_toy_hoi  # noqa: E402
from hqm_mmdet.utils.launch import run_tool  # noqa: E402
from study.costs import measure, read_costs, write_costs  # noqa: E402
from study.plan import SCALES, Run, run_config  # noqa: E402
from study.records import config_digest, data_digest, fitting, read_records  # noqa: E402
from study.run import current_commit  # noqa: E402
from study.scheduling import Queue, data_folder  # noqa: E402
from study.tables import write_page  # noqa: E402


def main(args: Namespace) -> None:
    """Train what is missing, then write the page."""
    scale = SCALES[args.scale]
    folder = args.records / scale.folder
    folder.mkdir(parents=True, exist_ok=True)
    work_dir = (args.work_dir / args.scale).resolve()
    for split, settings in scale.splits.items():
        make_toy_hoi(data_folder(work_dir, split), settings)

    config_of = cache(lambda arm: config_digest(run_config(Run("", arm, 0), Path(), scale)))
    data_of = cache(lambda split: data_digest(data_folder(work_dir, split)))
    records, left_out = fitting(read_records(folder), lambda r: (config_of(r.arm), data_of(r.split)))
    for run, reason in left_out.items():
        print(f"left out: {run.file_name()} ({reason})")
    records = {record.run: record for record in records}
    experiments = [scale.experiments[name] for name in args.experiments or scale.experiments]
    queue = Queue(args.scale, experiments, records, folder, work_dir, args.jobs, args.commit)
    if args.costs:
        arms = dict.fromkeys(arm for experiment in experiments for arm in experiment.arms)
        data = data_folder(work_dir, next(iter(scale.splits)))
        write_costs(folder, measure(arms, data, scale, iterations=60))
    costs, again = read_costs(folder), read_records(folder / "again")
    end, written = time.time() + 60 * args.minutes, 0.0
    trained = () if args.page_only or args.costs else queue.run(stop=lambda: time.time() > end)
    try:
        for _ in trained:
            if time.time() > written + PAGE_SECONDS:
                write_page(args.page, scale, records, left_out, costs, again)
                written = time.time()
    finally:
        write_page(args.page, scale, records, left_out, costs, again)
    print(f"{args.page} written from {len(records)} records; {len(queue.missing())} trainings are missing.")


def parse() -> Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = [name for name, scale in SCALES.items() if scale.experiments]
    parser.add_argument("--scale", choices=known, default="standard", help="size of the trainings, see plan.py")
    parser.add_argument("--experiments", nargs="+", help="only these, by the names in plan.py")
    cores = os.cpu_count() or 1
    jobs = max(1, cores - 1) if torch.cuda.is_available() else min(2, cores)
    parser.add_argument("--jobs", type=int, default=jobs, help="trainings at a time (default here: %(default)s)")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="no training begins after that")
    parser.add_argument("--page-only", action="store_true", help="train nothing")
    parser.add_argument("--costs", action="store_true", help="train nothing, measure what an iteration costs")
    parser.add_argument("--records", type=Path, default=ROOT / "docs" / "study", help="folder of the records")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "study.md")
    parser.add_argument("--work-dir", type=Path, default=ROOT / "work_dirs" / "study", help="data and logs")
    parser.add_argument("--commit", default=current_commit(), help="of a copy without git's folder, for the records")
    parser.add_argument("--debug", action="store_true", help="show the traceback of every error")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(run_tool(main, parse()))
