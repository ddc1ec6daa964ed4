"""Throw thousands of hostile inputs at every reader; fails on anything but success or one clear message.

Bounded and seeded: input N of an area is the same in every run with one seed, whatever ran before it.
"""

import argparse
import os
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
os.environ.setdefault("OMP_NUM_THREADS", "1")

from fuzz.data_areas import Annotations, Images, Predictions  # noqa: E402
from fuzz.material import Material  # noqa: E402
from fuzz.model_areas import Checkpoints, Configs, Options  # noqa: E402
from fuzz.verdict import Verdict, judge, quieten  # noqa: E402

# Area and its share of the inputs.
AREAS = {
    "annotations": (Annotations(), 0.27),
    "predictions": (Predictions(), 0.27),
    "images": (Images(), 0.16),
    "checkpoints": (Checkpoints(), 0.1),
    "configs": (Configs(), 0.08),
    "options": (Options(), 0.12),
}
CHUNK = 50
MEMORY = 24 * 2**30  # address space of a process; an input that wants more fails instead of the machine
_material: Material | None = None
_failures = Path()


def begin(base: Path, failures: Path) -> None:
    """Prepare a process: quiet, with a limit of memory, in a folder of its own with sound material."""
    global _material, _failures
    _failures = failures
    quieten()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    folder = Path(tempfile.mkdtemp(prefix="hqm_fuzz_", dir=base))
    os.chdir(folder)  # what a command writes without being told lands here
    import mmengine.runner.runner
    import torch

    torch.set_num_threads(1)
    mmengine.runner.runner.collect_env = dict  # asks compilers for their versions, a second each time
    _material = Material(folder)


def run_inputs(area: str, numbers: list[int], seed: int) -> list[tuple[str, int, Verdict, float]]:
    """Verdicts on inputs of an area, and their seconds."""
    found = []
    for number in numbers:
        start = time.perf_counter()
        verdict = run_input(area, number, seed)
        found.append((area, number, verdict, time.perf_counter() - start))
    return found


def run_input(area: str, number: int, seed: int) -> Verdict:
    """The verdict on one input."""
    action = AREAS[area][0]
    rng = Random(f"{seed} {area} {number}")
    verdict = judge(lambda: action(rng, _material), action.names)
    if verdict.outcome == "failed" and (files := _material.folder / "input").is_dir():
        kept = _failures / f"{area}-{number}"
        shutil.copytree(files, kept, dirs_exist_ok=True)
        (kept / "verdict.txt").write_text(verdict.detail, encoding="utf-8", errors="backslashreplace")
    return verdict


def main(args: argparse.Namespace) -> int:
    """Run the campaign; exit status 1 if an input fails or the time is up before all ran."""
    args.failures = args.failures.resolve()
    with tempfile.TemporaryDirectory(prefix="hqm_fuzz_", ignore_cleanup_errors=True) as base:
        return campaign(args, Path(base))


def campaign(args: argparse.Namespace, base: Path) -> int:
    """The same, below a folder that vanishes afterwards."""
    areas = args.area or list(AREAS)
    if args.only is not None:
        begin(base, args.failures)
        for area in areas:
            print(area, args.only, run_input(area, args.only, args.seed))
        return 0
    shutil.rmtree(args.failures, ignore_errors=True)
    total = sum(AREAS[area][1] for area in areas)
    start, counts, slowest, failed = time.monotonic(), Counter(), Counter(), []
    chunks = []
    for area in areas:
        numbers = list(range(round(args.inputs * AREAS[area][1] / total)))
        chunks += [(area, numbers[i : i + CHUNK]) for i in range(0, len(numbers), CHUNK)]
    Random(args.seed).shuffle(chunks)  # so that a run that is broken off has seen every area
    with ProcessPoolExecutor(args.jobs, initializer=begin, initargs=(base, args.failures)) as pool:
        waiting = [pool.submit(run_inputs, *chunk, args.seed) for chunk in chunks]
        for future in waiting:
            if time.monotonic() - start > args.seconds:
                pool.shutdown(wait=False, cancel_futures=True)
                print(f"The time is up: {args.seconds} s.", file=sys.stderr)
                break
            for area, number, verdict, seconds in future.result():
                counts[area, verdict.outcome] += 1
                slowest[area] = max(slowest[area], seconds)
                if verdict.outcome == "failed":
                    failed.append((area, number, verdict))
                    print(f"FAILED {area} {number}: {verdict.detail.strip().splitlines()[-1][:300]}", flush=True)
    return report(areas, counts, slowest, failed, args, time.monotonic() - start)


def report(areas, counts: Counter, slowest: Counter, failed: list, args: argparse.Namespace, seconds: float) -> int:
    """Figures by area; the exit status."""
    print(f"{'area':<14}{'inputs':>8}{'done':>8}{'told':>8}{'failed':>8}{'slowest':>9}")
    for area in areas:
        row = [counts[area, outcome] for outcome in ("done", "told", "failed")]
        print(f"{area:<14}{sum(row):>8}{row[0]:>8}{row[1]:>8}{row[2]:>8}{slowest[area]:>8.1f}s")
    number = sum(counts.values())
    print(f"{number} inputs in {seconds:.0f} s, seed {args.seed}: {len(failed)} failed")
    for area, n, _ in failed[:20]:
        again = f"python benchmarks/fuzz --seed {args.seed} --area {area} --only {n}"
        print(f"  again: {again}   (its files: {args.failures / f'{area}-{n}'})")
    return int(bool(failed) or number < args.inputs * 0.99)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_500, help="of all areas (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=600, help="after which no more begin (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of all inputs (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument("--area", action="append", choices=list(AREAS), help="only this one; may be repeated")
    parser.add_argument("--failures", type=Path, default=ROOT / "build" / "fuzz", help="files of inputs that failed")
    parser.add_argument("--only", type=int, help="only the input of this number, in this process")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main(parse_args()))
