"""One training of the study, from config to record."""

import contextlib
import fcntl
import io
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from unittest import mock

import mmdet
import mmengine
import numpy as np
import PIL
import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.hooks import Hook
from mmengine.model import ExponentialMovingAverage
from mmengine.runner import Runner
from mmengine.structures import InstanceData
from torch import Tensor, nn

import hqm_mmdet
from hqm_mmdet.engine import ResumableTrainLoop
from hqm_mmdet.evaluation import HICODetMetric
from hqm_mmdet.registry import LOOPS, METRICS, MODELS
from hqm_mmdet.safe_loading import load_untrusted
from hqm_mmdet.utils.atomic_io import write_atomically
from hqm_mmdet.utils.memory import keep_freed_memory

from .device_data import DeviceLoader, HeldBatches, device_name
from .graphs import GraphedStep
from .plan import LOCALISER_OF, ROOT, SCALES, Run, Scale, run_config
from .records import Record, config_digest, data_digest

TRACED = 4  # iterations whose losses are part of the trace


@LOOPS.register_module(force=True)
class StudyTrainLoop(ResumableTrainLoop):
    """Takes its batches from device memory, and validates after the listed epochs.

    Args:
        evaluated (tuple[int, ...]): epochs, counted from 1.
    """

    def __init__(self, *args, evaluated: tuple[int, ...], **kwargs):
        super().__init__(*args, **kwargs)
        self.evaluated = evaluated
        self.dataloader = DeviceLoader(self.dataloader, get_device())

    def _validate_if_due(self) -> None:
        if self._epoch in self.evaluated:
            self.runner.val_loop.run()


def takes_graphs(model: nn.Module) -> bool:
    """Whether a model is trained by :class:`GraphedStep`."""
    return torch.cuda.is_available() and GraphedStep.fits(model)


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


@MODELS.register_module(name="ExponentialMovingAverage", force=True)
class JoinedAverage(ExponentialMovingAverage):
    """mmengine's average with the same numbers from one operation for all tensors."""

    def update_parameters(self, model: nn.Module) -> None:
        """As in mmengine."""
        if self.steps == 0:
            super().update_parameters(model)
            source = model.state_dict()
            pairs = [(mean, source[name]) for name, mean in self.avg_parameters.items() if mean.is_floating_point()]
            self._means, self._sources = zip(*pairs, strict=True)
        else:
            torch._foreach_lerp_(self._means, self._sources, self.momentum)
            self.steps += 1


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
        """Take the test images into memory, and predict once."""
        runner.val_loop.dataloader = HeldBatches(runner.val_loop.dataloader, get_device())
        if takes_graphs(runner.model):  # not before the hook of the average has copied the model
            runner.model.train_step = GraphedStep(runner.model, runner.train_dataloader)
        runner.model.eval()
        with torch.no_grad():
            samples = runner.model.val_step(next(iter(runner.val_dataloader)))
        pairs = InstanceData.cat([sample.pred_pairs for sample in samples])
        self.trace = [float(value.mean()) for value in (pairs.verb_scores, pairs.sub_bboxes)]

    def before_train_epoch(self, runner) -> None:
        """Start the clock."""
        self._start = time.process_time()

    def after_train_epoch(self, runner) -> None:
        """Stop the clock, and tell the log."""
        self.seconds += time.process_time() - self._start
        print(f"{runner.experiment_name}: epoch {runner.epoch + 1}, {self.seconds:.0f} s of CPU time", flush=True)

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


def last_layer_to_host(head: nn.Module, inputs: tuple, preds: dict[str, Tensor]) -> dict[str, Tensor] | None:
    """Forward hook: in evaluation predictions of a batch leave the device together, not image by image."""
    return None if head.training else {name: value[-1:].cpu() for name, value in preds.items()}


@contextlib.contextmanager
def draws_on_host():
    """Inside, what the miners draw for any device comes from the CPU's generator: a seed means the same everywhere."""

    def on_host(draw: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def drawn(*args, device=None, **options):
            if isinstance(args[0], Tensor):  # rand_like and its kin
                device, args = args[0].device, (args[0].cpu(), *args[1:])
            return draw(*args, **options).to(device or "cpu")

        return drawn

    with contextlib.ExitStack() as patches:
        for name in ("rand", "rand_like", "randn_like"):
            patches.enter_context(mock.patch.object(torch, name, on_host(getattr(torch, name))))
        yield


def train(cfg: Config, work_dir: Path, only_trace: bool = False) -> tuple[Observer, StudyMetric]:
    """Train; returns what was observed, and the metric after its last evaluation."""
    torch.set_num_threads(1)
    torch.backends.cudnn.allow_tf32 = False  # a trace must be repeated to five digits
    cfg.work_dir = str(work_dir)
    cfg.experiment_name = f"{work_dir.name}_{time.time_ns()}"  # mmengine keeps runners by name
    runner = Runner.from_cfg(cfg)
    observer = Observer()
    runner.register_hook(observer, "VERY_LOW")
    if only_trace:
        runner.register_hook(StopWhenTraced())
    model = runner.model
    if GraphedStep.fits(model):  # others' heads have tensors of their own to decode with
        model.bbox_head.register_forward_hook(last_layer_to_host)
    # Initial weights are drawn on the host, too, and not where the model lies when the runner would have them drawn.
    model.cpu().init_weights()
    model.to(get_device()).init_weights = lambda: None
    with contextlib.suppress(Traced), contextlib.nullcontext() if takes_graphs(model) else draws_on_host():
        runner.train()
    return observer, runner.val_evaluator.metrics[0]


def trace_of(run: Run, data: Path, scale: Scale, work_dir: Path) -> list[float]:
    """Losses of a run's first iterations, with the code as it is; of one that starts from a localiser, the localiser's,
    since what follows a whole training can't be repeated on another processor."""
    run = replace(run, arm=LOCALISER_OF[run.arm].name) if run.arm in LOCALISER_OF else run
    return train(run_config(run, data, scale), work_dir, only_trace=True)[0].trace


def localiser_of(run: Run, data: Path, scale: Scale, work_dir: Path) -> tuple[Path, list[float]]:
    """Checkpoint of the run's localiser without what arms learn anew, and its trace; trained unless one did before."""
    localiser = LOCALISER_OF[run.arm]
    run = replace(run, arm=localiser.name)
    path = work_dir.parent / Path(run.file_name()).with_suffix(".pth")
    with open(path.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # all arms of a seed start from the same one, also where they run side by side
        if not path.is_file():
            cfg = run_config(run, data, replace(scale, evaluated=(), keeps_weights=True))
            observer, _ = train(cfg, work_dir)
            state = load_untrusted(work_dir / f"epoch_{scale.epochs}.pth", map_location="cpu")["state_dict"]
            state = {name: value for name, value in state.items() if not name.startswith(localiser.fresh)}
            buffer = io.BytesIO()
            torch.save(dict(state_dict=state, trace=observer.trace), buffer)
            write_atomically(path, buffer.getvalue())
    return path, load_untrusted(path)["trace"]


def make_record(run: Run, data: Path, scale: Scale, work_dir: Path, commit: str) -> Record:
    """Train and describe."""
    cfg = run_config(run, data, scale)
    digest, trace = config_digest(cfg), None
    if run.arm in LOCALISER_OF:
        start, trace = localiser_of(run, data, scale, work_dir)
        cfg.load_from = str(start)
    begin = time.time()
    observer, metric = train(cfg, work_dir)
    return Record(
        arm=run.arm,
        split=run.split,
        seed=run.seed,
        config=Path(cfg.filename).relative_to(ROOT).as_posix(),
        config_digest=digest,
        data_digest=data_digest(data),
        commit=commit,
        versions=versions(),
        date=date.today().isoformat(),
        minutes=round((time.time() - begin) / 60, 1),
        training_seconds=round(observer.seconds, 1),
        trace=trace or observer.trace,
        curve=observer.curve,
        triplet_ap=metric.triplet_ap,
    )


def versions() -> dict[str, str]:
    """Of everything that can change a number."""
    parts = dict(torch=torch, mmengine=mmengine, mmdet=mmdet, numpy=np, pillow=PIL, hqm_mmdet=hqm_mmdet)
    named = {name: module.__version__ for name, module in parts.items()}
    return named | dict(python=platform.python_version(), machine=platform.machine(), device=device_name())


def current_commit() -> str:
    """Of the checkout; with a plus sign where package, configs or study were changed since."""

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "--", "hqm_mmdet", "configs", "benchmarks/study")
    return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")


def main() -> None:
    """Train what comes: a JSON object per line of the standard input, each answered by a line when it is done.

    Where no record is wanted, the answer is the trace. Runs share a process, since starting one takes as long as a
    hundred iterations on a GPU.
    """
    if not torch.cuda.is_available():
        keep_freed_memory()
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print belongs into the log
    for line in sys.stdin:
        job = json.loads(line)
        run, data, work_dir = Run(**job["run"]), Path(job["data"]), Path(job["work_dir"])
        scale, trace = SCALES[job["scale"]], None
        if job["record"] is None:
            trace = trace_of(run, data, scale, work_dir)
        else:
            record = make_record(run, data, scale, work_dir, job["commit"])
            write_atomically(Path(job["record"]), record.as_json().encode())
        print(json.dumps(trace), file=answers)


if __name__ == "__main__":
    main()
