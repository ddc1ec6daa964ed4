#!/usr/bin/env python
"""What an iteration of the toy trainings costs: loading, forward, loss, backward, optimizer; plain and mined in turn.

Figures are medians of process CPU time on one thread, after the first epoch's reading of images. With --against, a
second checkout of the project (say, an older one) is measured in the same run, by the same script, turn by turn.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve()
# A process of its own measures one checkout, this one or another; it is told which before it imports the package.
ROOT = Path(os.environ.get("MEASURED_CHECKOUT") or HERE.parents[1])
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from mmengine.config import Config  # noqa: E402
from mmengine.optim import build_optim_wrapper  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmengine.runner import Runner  # noqa: E402

from hqm_mmdet.registry import MODELS  # noqa: E402

try:
    from hqm_mmdet.utils.memory import keep_freed_memory
except ImportError:  # an older checkout, whose commands do not call it
    keep_freed_memory = None

CONFIGS = {"plain": "configs/qpic_toy.py", "mined": "configs/qpic_hqm_toy.py"}


def endless(loader):
    """Batches for ever."""
    while True:
        yield from loader


def measure(iterations: int) -> dict[str, list[float]]:
    """CPU seconds of each iteration, by name."""
    init_default_scope("hqm_mmdet")
    configs = {name: Config.fromfile(ROOT / file) for name, file in CONFIGS.items()}
    for cfg in configs.values():
        cfg.merge_from_dict({"train_dataloader.batch_size": 16, "visualizer.vis_backends": []})
        cfg.merge_from_dict({"work_dir": os.devnull, "log_level": "ERROR"})
    return take_turns(configs, iterations)


def take_turns(configs: dict[str, Config], iterations: int) -> dict[str, list[float]]:
    """CPU seconds of each iteration of several trainings that take turns, by name."""
    torch.set_num_threads(1)
    if keep_freed_memory is not None:
        keep_freed_memory()
    runs = {}
    for name, cfg in configs.items():
        loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)
        loader.dataset.seed = 0
        for index in range(len(loader.dataset)):
            loader.dataset[index]
        model = MODELS.build(cfg.model).train()
        runs[name] = endless(loader), model, build_optim_wrapper(model, cfg.optim_wrapper)
    times = {name: [] for name in runs}
    for i in range(iterations):
        for name, (batches, model, optimizer) in runs.items():
            if model.query_mining is not None:
                model.query_mining.take_round(i)
            start = time.process_time()
            model.train_step(next(batches), optimizer)
            times[name].append(time.process_time() - start)
    return times


def in_process(root: Path, iterations: int) -> dict[str, list[float]]:
    """:func:`measure` of a checkout, in a fresh process."""
    command = [sys.executable, str(HERE), "--worker", "--iterations", str(iterations)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MEASURED_CHECKOUT": str(root)}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"Measuring {root} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, help="another checkout, with the toy set in its data/toy_hoi")
    parser.add_argument("--iterations", type=int, default=60, help="of each kind and turn; the first 10 do not count")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        print(json.dumps(measure(args.iterations)))
        return

    roots = {"": HERE.parents[1]} | ({"other ": args.against.resolve()} if args.against else {})
    times = {}
    for _ in range(args.turns):
        for prefix, root in roots.items():
            for name, values in in_process(root, args.iterations).items():
                times.setdefault(prefix + name, []).extend(values[10:])
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, seconds in medians.items():
        print(f"{name}: {1000 * seconds:.1f} ms")
    print(f"mined / plain: {medians['mined'] / medians['plain']:.3f}")
    if args.against:
        for name in CONFIGS:
            print(f"{name} / other {name}: {medians[name] / medians[f'other {name}']:.3f}")


if __name__ == "__main__":
    main()
