#!/usr/bin/env python
"""What UPT and PViC cost for numbers of persons and objects, beside QPIC: time and memory of an image.

Models have random weights and one image of noise; the first instances of DETR-R50 count as persons and objects.
Each row is a process of its own, so that its memory is its own; CPU time does not depend on what else runs.
Writes a table into docs/two_stage.md.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]  # the checkout's package

COMMAND = "python benchmarks/two_stage_cost.py"
NAMES = dict(qpic="QPIC", upt_r50="UPT", pvic_r50="PViC")
COUNTS = (1, 5, 15)  # persons, and as many objects


def measure(method: str, count: int, size: tuple[int, int], repeats: int) -> dict:
    """CPU seconds of an image (the least of some), of which the head; MiB that the process held at most."""
    import torch

    from hqm_mmdet.apis import init_model
    from hqm_mmdet.structures import HOIDataSample

    torch.manual_seed(0)
    model = init_model(ROOT / "configs" / f"{method}_hico.py")
    inputs = torch.randn(1, 3, *size)
    samples = [HOIDataSample(metainfo=dict(img_shape=size, ori_shape=size))]
    head_times = []
    if method != "qpic":
        select, heads = model.selection, model.bbox_head.forward

        def first(scene):
            kept = scene.of(torch.arange(2 * count))
            kept.instances.labels = (torch.arange(2 * count) >= count).long()
            return kept

        def timed(*args):
            begin = time.process_time()
            result = heads(*args)
            head_times.append(time.process_time() - begin)
            return result

        first.subject_label = select.subject_label
        model.selection, model.bbox_head.forward = first, timed
    times = []
    with torch.inference_mode():
        for _ in range(repeats + 1):  # the first one warms up
            begin = time.process_time()
            model(inputs, samples, mode="predict")
            times.append(time.process_time() - begin)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return dict(seconds=min(times[1:]), head=min(head_times[1:], default=None), memory=memory)


def row(method: str, count: int, args: argparse.Namespace) -> dict:
    """A measurement in a process of its own."""
    words = [sys.executable, __file__, "--row", method, str(count), "--size", *map(str, args.size)]
    environment = dict(os.environ, OMP_NUM_THREADS=str(args.threads))
    found = subprocess.run([*words, "--repeats", str(args.repeats)], env=environment, capture_output=True, text=True)
    if found.returncode:
        raise SystemExit(found.stderr)
    return json.loads(found.stdout.splitlines()[-1])


def table(args: argparse.Namespace) -> str:
    """Markdown."""
    lines = ["| | instances | pairs | CPU seconds | of QPIC | head alone | memory, MiB |", "| --- |" + " ---: |" * 6]
    base = row("qpic", 0, args)
    lines.append(f"| QPIC | - | 100 queries | {base['seconds']:.2f} | 100 % | - | {base['memory']:.0f} |")
    for method in ("upt_r50", "pvic_r50"):
        for count in COUNTS:
            found, pairs = row(method, count, args), count * (2 * count - 1)
            share = f"{100 * found['seconds'] / base['seconds']:.0f} %"
            times = f"{found['seconds']:.2f} | {share} | {found['head']:.3f}"
            lines.append(f"| {NAMES[method]} | {2 * count} | {pairs} | {times} | {found['memory']:.0f} |")
    height, width = args.size
    where = f"{args.threads} thread(s) of {platform.processor() or platform.machine()}"
    return "\n".join([*lines, "", f"An image of {width} x {height}, ResNet-50, {where}; made by `{COMMAND}`."])


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", type=Path, default=ROOT / "docs/two_stage.md")
    parser.add_argument("--size", type=int, nargs=2, default=(480, 640), metavar=("H", "W"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--row", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.row:
        print(json.dumps(measure(args.row[0], int(args.row[1]), tuple(args.size), args.repeats)))
        return
    from page import write_part

    write_part(args.page, COMMAND, table(args))


if __name__ == "__main__":
    main()
