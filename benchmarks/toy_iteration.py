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
CONFIGS = {"plain": "configs/qpic_toy.py", "mined": "configs/qpic_hqm_toy.py"}


def endless(loader):
    """Batches for ever."""
    while True:
        yield from loader


def measure(root: Path, iterations: int) -> dict[str, list[float]]:
    """CPU seconds of each iteration, by name; runs in a process of its own, which imports the package of ``root``."""
    sys.path.insert(0, str(root))
    import torch
    from mmengine.config import Config
    from mmengine.registry import init_default_scope
    from mmengine.runner import Runner

    import hqm_mmdet  # noqa: F401  (registers the components)

    torch.set_num_threads(1)
    init_default_scope("hqm_mmdet")
    runs = {}
    for name, file in CONFIGS.items():
        cfg = Config.fromfile(root / file)
        cfg.merge_from_dict({"train_dataloader.batch_size": 16, "visualizer.vis_backends": []})
        cfg.merge_from_dict({"work_dir": os.devnull, "log_level": "ERROR"})
        loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)
        loader.dataset.seed = 0
        for index in range(len(loader.dataset)):
            loader.dataset[index]
        model = hqm_mmdet.registry.MODELS.build(cfg.model).train()
        runs[name] = endless(loader), model, build_optimizer(model, cfg.optim_wrapper)
    times = {name: [] for name in runs}
    for i in range(iterations):
        for name, (batches, model, optimizer) in runs.items():
            if model.query_mining is not None:
                model.query_mining.take_round(i)
            start = time.process_time()
            model.train_step(next(batches), optimizer)
            times[name].append(time.process_time() - start)
    return times


def build_optimizer(model, cfg):
    """The config's optimizer for a model."""
    from mmengine.optim import build_optim_wrapper

    return build_optim_wrapper(model, cfg)


def in_process(root: Path, iterations: int) -> dict[str, list[float]]:
    """:func:`measure` of a checkout, in a fresh process."""
    command = [sys.executable, HERE, "--worker", root, "--iterations", iterations]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)}
    done = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"Measuring {root} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, help="another checkout, with the toy set in its data/toy_hoi")
    parser.add_argument("--iterations", type=int, default=60, help="of each kind and turn; the first 10 do not count")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        os.chdir(args.worker)
        print(json.dumps(measure(args.worker.resolve(), args.iterations)))
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
