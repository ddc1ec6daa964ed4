"""One training of the study, from config to record."""

import contextlib
import json
import platform
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import mmdet
import mmengine
import numpy as np
import PIL
import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.structures import InstanceData

import hqm_mmdet
from hqm_mmdet.engine import ResumableTrainLoop
from hqm_mmdet.evaluation import HICODetMetric
from hqm_mmdet.registry import LOOPS, METRICS
from hqm_mmdet.utils.atomic_io import write_atomically
from hqm_mmdet.utils.memory import keep_freed_memory

from .device_data import DeviceLoader
from .plan import ROOT, SCALES, Run, Scale, run_config
from .records import Record, config_digest, data_digest

TRACED = 4  # iterations whose losses are part of the trace


@LOOPS.register_module(force=True)
class StudyTrainLoop(ResumableTrainLoop):
    """Validates after the listed epochs.

    Args:
        evaluated (tuple[int, ...]): epochs, counted from 1.
        in_device_memory (bool): take training batches from there, see :class:`DeviceLoader`.
    """

    def __init__(self, *args, evaluated: tuple[int, ...], in_device_memory: bool = False, **kwargs):
        super().__init__(*args, **kwargs)
        self.evaluated = evaluated
        if in_device_memory:
            self.dataloader = DeviceLoader(self.dataloader, get_device())

    def _validate_if_due(self) -> None:
        if self._epoch in self.evaluated:
            self.runner.val_loop.run()


@METRICS.register_module(force=True)
class StudyMetric(HICODetMetric):
    """HICO-DET's metric that remembers the AP of every triplet, by ``verb object``."""

    def rank(self, records):
        """As in the base class."""
        ranking = super().rank(records)
        ranked = ranking.settings["default"]
        results = ranked.results(ranking.candidates.protocol.recall_thresholds)
        self.triplet_ap = {
            self.triplet_name(code): round(float(ap), 5) for code, ap in zip(ranked.classes, results.ap, strict=True)
        }
        return ranking

    def triplet_name(self, code: int) -> str:
        """``ride bicycle``, or ``wave`` without an object."""
        _, obj, verb = self.vocabulary.coder.decode(int(code))
        classes = self.dataset_meta["classes"]
        return f"{self.dataset_meta['verbs'][verb]} {classes[obj] if obj < len(classes) else ''}".strip()


class Observer(Hook):
    """Collects a trace, the curve, and CPU time spent in training.

    The trace tells trainings apart after seconds: mean verb score and box corner that the untrained model predicts for
    the first test images, then the sum of losses of the first iterations.
    """

    def __init__(self):
        self.trace: list[float] = []
        self.curve: list[dict[str, float]] = []
        self.seconds = 0.0

    def before_train(self, runner) -> None:
        """Predict once."""
        runner.model.eval()
        with torch.no_grad():
            samples = runner.model.val_step(next(iter(runner.val_dataloader)))
        pairs = InstanceData.cat([sample.pred_pairs for sample in samples])
        self.trace = [float(value.mean()) for value in (pairs.verb_scores, pairs.sub_bboxes)]

    def before_train_epoch(self, runner) -> None:
        """Start the clock."""
        self._start = time.process_time()

    def after_train_epoch(self, runner) -> None:
        """Stop the clock."""
        self.seconds += time.process_time() - self._start

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        """Note the sum of all losses."""
        if runner.iter < TRACED:
            self.trace.append(float(outputs["loss"].detach()))

    def after_val_epoch(self, runner, metrics=None) -> None:
        """Note a point of the curve."""
        names = ("full", "rare", "non_rare")
        self.curve.append(dict(iteration=runner.iter) | {name: round(metrics[f"hico/{name}"], 5) for name in names})


class Traced(Exception):
    """Enough iterations for a trace."""


class StopWhenTraced(Hook):
    """Ends a training that only asks for its first losses."""

    priority = "LOWEST"

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        """Stop."""
        if runner.iter + 1 >= TRACED:
            raise Traced


def train(cfg: Config, work_dir: Path, only_trace: bool = False) -> tuple[Observer, StudyMetric]:
    """Train; returns what was observed, and the metric after its last evaluation."""
    torch.set_num_threads(1)
    cfg.work_dir = str(work_dir)
    cfg.experiment_name = f"{work_dir.name}_{time.time_ns()}"  # mmengine keeps runners by name
    runner = Runner.from_cfg(cfg)
    observer = Observer()
    runner.register_hook(observer, "VERY_LOW")
    if only_trace:
        runner.register_hook(StopWhenTraced())
    with contextlib.suppress(Traced):
        runner.train()
    return observer, runner.val_evaluator.metrics[0]


def trace_of(run: Run, data: Path, scale: Scale, work_dir: Path) -> list[float]:
    """Losses of a run's first iterations, with the code as it is."""
    return train(run_config(run, data, scale), work_dir, only_trace=True)[0].trace


def make_record(run: Run, data: Path, scale: Scale, work_dir: Path) -> Record:
    """Train and describe."""
    cfg = run_config(run, data, scale)
    digest = config_digest(cfg)
    start = time.time()
    observer, metric = train(cfg, work_dir)
    return Record(
        arm=run.arm,
        split=run.split,
        seed=run.seed,
        config=Path(cfg.filename).relative_to(ROOT).as_posix(),
        config_digest=digest,
        data_digest=data_digest(data),
        commit=current_commit(),
        versions=versions(),
        date=date.today().isoformat(),
        minutes=round((time.time() - start) / 60, 1),
        training_seconds=round(observer.seconds, 1),
        trace=observer.trace,
        curve=observer.curve,
        triplet_ap=metric.triplet_ap,
    )


def versions() -> dict[str, str]:
    """Of everything that can change a number."""
    parts = dict(torch=torch, mmengine=mmengine, mmdet=mmdet, numpy=np, pillow=PIL, hqm_mmdet=hqm_mmdet)
    named = {name: module.__version__ for name, module in parts.items()}
    return named | dict(python=platform.python_version(), machine=platform.machine())


def current_commit() -> str:
    """Of the checkout; with a plus sign where package, configs or study were changed since."""

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "--", "hqm_mmdet", "configs", "benchmarks/study")
    return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")


def main() -> None:
    """A process of its own per run: ``python -m study.run`` with a JSON object as argument.

    Without a path for the record it only prints the trace.
    """
    if not torch.cuda.is_available():
        keep_freed_memory()
    job = json.loads(sys.argv[1])
    run, data, work_dir = Run(**job["run"]), Path(job["data"]), Path(job["work_dir"])
    scale = SCALES[job["scale"]]
    if job["record"] is None:
        print(json.dumps(trace_of(run, data, scale, work_dir)))
    else:
        record = make_record(run, data, scale, work_dir)
        write_atomically(Path(job["record"]), record.as_json().encode())


if __name__ == "__main__":
    main()
