"""A training of seconds that draws from every random generator, and can be killed at a chosen moment.

Run as a script it reads requests, one JSON dict per line with the arguments of :func:`main`, forks a process for each
(which spares the imports), and answers with a line ``status N``. Each iteration's loss is appended to
``WORK_DIR/losses.jsonl``, what the process prints to ``WORK_DIR.log``.
"""

import itertools
import json
import os
import random
import signal
import stat
import sys
import uuid
from pathlib import Path

import mmengine.runner.runner
import numpy as np
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import Dataset

from hqm_mmdet.datasets.seeding import SharedInteger, start_streams, streams_put_back
from hqm_mmdet.registry import DATASETS, HOOKS, METRICS, MODELS
from hqm_mmdet.structures import HOIDataSample
from hqm_mmdet.utils import find_latest_checkpoint

LENGTH, BATCH = 14, 3  # 5 iterations per epoch, the last of two samples
HOOK_NAMES = ("RandomStateHook", "MeanLossHook", "FiniteLossHook", "WeightCheckHook", "StopOnSigtermHook")
mmengine.runner.runner.collect_env = dict  # asks compilers for their versions, which takes longer than training


@DATASETS.register_module(force=True)
class NoisyDataset(Dataset):
    """Items with random augmentation, seeded as HOIDataset does."""

    metainfo = dict(classes=("a", "b"), valid_pairs=np.ones((2, 2), dtype=bool))

    def __init__(self, seed=None, bad_index=None):
        self.seed, self.bad_index, self._epoch = seed, bad_index, SharedInteger()

    def __len__(self):
        return LENGTH

    def set_epoch(self, epoch):
        self._epoch.set(epoch)

    def __getitem__(self, index):
        with streams_put_back():
            start_streams(self.seed or 0, self._epoch.get(), index)
            inputs = torch.randn(8) + np.random.rand() + random.random() + index
        if index == self.bad_index:
            inputs = inputs * float("nan")
        return dict(inputs=inputs, data_samples=HOIDataSample(metainfo=dict(img_path=f"image_{index}.jpg")))


@MODELS.register_module(force=True)
class NoisyModel(BaseModel):
    """Two layers with dropout, and a loss that draws from Python's and NumPy's generators too."""

    def __init__(self, width=8):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, width), nn.ReLU(), nn.Dropout(0.5), nn.BatchNorm1d(width))
        self.head = nn.Linear(width, 1)

    def forward(self, inputs, data_samples=None, mode="tensor"):
        out = self.head(self.body(torch.stack(list(inputs))))
        if mode == "loss":
            return dict(loss_a=(out - random.random()).square().mean(), loss_b=(out * np.random.rand()).abs().mean())
        return data_samples if mode == "predict" else out


@METRICS.register_module(force=True)
class WaveMetric(BaseMetric):
    """A score per validation: up, down, up."""

    default_prefix = "hico"
    validations = itertools.count()

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        epoch = HOOKS.get("TraceHook").current_epoch
        return dict(full=[0.1, 0.4, 0.2, 0.5][epoch % 4])


@HOOKS.register_module(force=True)
class TraceHook(Hook):
    """Writes down each loss, and strikes then: ``iter:N``, ``val:N``, ``term:N``, ``int:N``, ``termval:N``."""

    priority = "LOW"  # before the checkpoint hook
    current_epoch = 0

    def __init__(self, moment):
        self.what, _, count = moment.partition(":")
        self.count = int(count or 0)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        line = dict(iter=runner.iter, batch_idx=batch_idx, epoch=runner.epoch, loss=outputs["loss"].item().hex())
        with open(Path(runner.work_dir) / "losses.jsonl", "a") as file:
            file.write(json.dumps(line) + "\n")
        if runner.iter + 1 == self.count:
            self._strike(dict(iter=signal.SIGKILL, term=signal.SIGTERM, int=signal.SIGINT))

    def before_val_epoch(self, runner):
        TraceHook.current_epoch = runner.epoch
        if runner.epoch == self.count:
            self._strike(dict(val=signal.SIGKILL, termval=signal.SIGTERM))

    def _strike(self, signals):
        # of several processes the second one only, and not again when torchrun has restarted it
        first_time = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") == "0"
        if self.what in signals and first_time and os.environ.get("RANK", "1") == "1":
            os.kill(os.getpid(), signals[self.what])


def break_file_system(moment):
    """``half:N``: cut the N-th file that is written and die; ``rename:N``, ``renamed:N``: die before/after a rename."""
    what, _, count = moment.partition(":")
    calls = itertools.count(1)
    fsync, replace = os.fsync, os.replace

    def half(descriptor):
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and next(calls) == int(count):
            os.ftruncate(descriptor, status.st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)
        fsync(descriptor)

    def rename(source, target):
        number = next(calls)
        if what == "rename" and number == int(count):
            os.kill(os.getpid(), signal.SIGKILL)
        replace(source, target)
        if what == "renamed" and number == int(count):
            os.kill(os.getpid(), signal.SIGKILL)

    if what == "half":
        os.fsync = half
    elif what in ("rename", "renamed"):
        os.replace = rename


def build_config(
    work_dir, moment="", epochs=4, workers=0, accumulate=1, iter_interval=-1, seed=3, bad_index=None, amp=False,
    load_from=None, resume=False, width=8, sampler="ResumableSampler",
):  # fmt: skip
    """Config of the small training; ``moment`` says when to kill it."""
    loader = dict(
        batch_size=BATCH,
        num_workers=workers,
        persistent_workers=workers > 0,
        dataset=dict(type="NoisyDataset", bad_index=bad_index),
        sampler=dict(type=sampler, shuffle=True),
    )
    return Config(
        dict(
            default_scope="hqm_mmdet",
            work_dir=str(work_dir),
            experiment_name=f"{Path(work_dir).name}_{uuid.uuid4()}",
            model=dict(type="NoisyModel", width=width),
            train_dataloader=loader,
            val_dataloader=dict(loader, dataset=dict(type="NoisyDataset"), sampler=dict(type="DefaultSampler")),
            test_dataloader=dict(loader, dataset=dict(type="NoisyDataset"), sampler=dict(type="DefaultSampler")),
            train_cfg=dict(type="ResumableTrainLoop", max_epochs=epochs, val_interval=1),
            val_cfg=dict(),
            test_cfg=dict(),
            val_evaluator=dict(type="WaveMetric"),
            test_evaluator=dict(type="WaveMetric"),
            optim_wrapper=dict(
                type="BFloat16OptimWrapper" if amp else "OptimWrapper",
                optimizer=dict(type="AdamW", lr=0.01),
                clip_grad=dict(max_norm=1.0),
                accumulative_counts=accumulate,
            ),
            param_scheduler=[
                dict(type="MultiStepLR", milestones=[2], gamma=0.1, end=99),
                dict(type="LinearLR", start_factor=0.1, by_epoch=False, end=9),
            ],
            default_hooks=dict(
                checkpoint=dict(type="SafeCheckpointHook", iter_interval=iter_interval, save_best="hico/full"),
                logger=dict(type="LoggerHook", interval=2),
            ),
            custom_hooks=[dict(type=name) for name in HOOK_NAMES] + [dict(type="TraceHook", moment=moment)],
            log_processor=dict(type="DataShareLogProcessor", window_size=4),
            randomness=dict(seed=seed),
            load_from=load_from,
            resume=resume,
            log_level="WARNING",
        )
    )  # fmt: skip


def main(work_dir, **options):
    """Train; goes on from the newest complete checkpoint, if there is one."""
    with open(f"{work_dir}.log", "a") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    break_file_system(options.get("moment", ""))
    latest = find_latest_checkpoint(work_dir)
    Runner.from_cfg(build_config(work_dir, load_from=latest, resume=latest is not None, **options)).train()


def serve():
    """Answer requests until the input ends."""
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            main(**json.loads(line))
            sys.exit()
        print("status", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    serve()
