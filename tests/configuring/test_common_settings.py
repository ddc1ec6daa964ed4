"""The common wishes do the right thing in every config."""

import copy
import os
from functools import cache
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import PARAM_SCHEDULERS

from hqm_mmdet.configuring import common_settings
from hqm_mmdet.errors import ConfigError
from tests.conftest import REPOSITORY

CONFIGS = sorted(path for path in REPOSITORY.glob("configs/**/*.py") if "_base_" not in path.parts)
LOADERS = [f"{split}_dataloader" for split in ("train", "val", "test")]


@pytest.fixture(scope="module", params=CONFIGS, ids=lambda path: str(path.relative_to(REPOSITORY / "configs")))
def name(request) -> Path:
    return request.param


@cache
def read(name: Path) -> Config:
    return Config.fromfile(name)


@pytest.fixture
def cfg(name) -> Config:
    return copy.deepcopy(read(name))


def loaders(cfg):
    """Detectors of boxes alone have no validation."""
    return [cfg[name] for name in LOADERS if cfg[name]]


def schedulers(cfg):
    given = cfg.get("param_scheduler") or []
    return given if isinstance(given, list) else [given]


def rates(cfg, epochs, length):
    """Learning rate in the middle of each tenth of the training, epochs of ``length`` iterations."""
    optimizer = OptimWrapper(torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0))
    made = [(s.get("by_epoch", True), PARAM_SCHEDULERS.build(dict(s, optimizer=optimizer))) for s in schedulers(cfg)]
    found = []
    for step in range(epochs * length):
        if step % (epochs * length // 20) == 0:
            found.append(optimizer.get_lr()["lr"][0])
        for by_epoch, scheduler in made:
            if not by_epoch or (step + 1) % length == 0:
                scheduler.step()
    return found[1::2]


def strings(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value


def test_schedules_are_stretched(cfg, name):
    old, before = cfg.train_cfg.max_epochs, read(name)
    common_settings.set_epochs(cfg, 3 * old)
    assert cfg.train_cfg.max_epochs == 3 * old
    for ours, theirs in zip(schedulers(cfg), schedulers(before), strict=True):
        warm_up = theirs["type"] == "LinearLR"
        for key in ("end", "T_max", "step_size"):
            if key in theirs:
                assert ours[key] == theirs[key] * (1 if warm_up else 3), key
        assert ours.get("begin", 0) == 0 == theirs.get("begin", 0)
        for key in ("milestones", "periods"):
            assert list(ours.get(key, [])) == [3 * value for value in theirs.get(key, [])]
    intervals = before.train_cfg.get("dynamic_intervals") or []
    changed = cfg.train_cfg.get("dynamic_intervals") or []
    assert [tuple(each) for each in changed] == [(3 * (begin - 1) + 1, n) for begin, n in intervals]
    # validation still comes every epoch from the one after the drop on
    milestones = [m for s in schedulers(cfg) for m in s.get("milestones", [])]
    assert all(begin - 1 in milestones for begin, _ in changed)
    if before.val_dataloader:
        assert cfg.train_cfg.val_interval == before.train_cfg.val_interval


def test_short_trainings_end_and_drop_in_time(cfg):
    common_settings.set_epochs(cfg, 2)
    assert cfg.train_cfg.max_epochs == 2 and 1 <= cfg.train_cfg.val_interval <= 2
    for scheduler in schedulers(cfg):
        if scheduler.get("by_epoch", True):
            assert scheduler["end"] == 2 and all(1 <= m <= 2 for m in scheduler["milestones"])
    for begin, _ in cfg.train_cfg.get("dynamic_intervals") or []:
        assert 1 <= begin <= 3


def test_batches_learning_rate_workers_and_validation(cfg):
    old = cfg.train_dataloader.batch_size
    periods = [list(s["periods"]) for s in schedulers(cfg) if "periods" in s]
    epochs = [list(s["milestones"]) for s in schedulers(cfg) if "milestones" in s]
    common_settings.set_batch_size(cfg, 2 * old)
    assert cfg.train_dataloader.batch_size == 2 * old
    assert [list(s["periods"]) for s in schedulers(cfg) if "periods" in s] == [[v // 2 for v in p] for p in periods]
    assert [list(s["milestones"]) for s in schedulers(cfg) if "milestones" in s] == epochs
    common_settings.set_learning_rate(cfg, 0.125)
    assert cfg.optim_wrapper.optimizer.lr == 0.125
    for workers in (0, 3):
        common_settings.set_workers(cfg, workers)
        for loader in loaders(cfg):
            assert loader.num_workers == workers and loader.persistent_workers == (workers > 0)
    if cfg.val_dataloader:
        common_settings.set_val_interval(cfg, 7)
        assert cfg.train_cfg.val_interval == 7 and not cfg.train_cfg.get("dynamic_intervals")
    else:
        with pytest.raises(ConfigError, match="a config that validates"):
            common_settings.set_val_interval(cfg, 7)
    common_settings.start_afresh(cfg, ["bbox_head.verb_cls"])
    assert cfg.default_hooks.weight_check.fresh[-1] == "bbox_head.verb_cls"


def test_nothing_of_the_data_is_looked_for_elsewhere(cfg):
    old = [value for loader in (*LOADERS, "val_evaluator", "test_evaluator") for value in strings(cfg[loader])]
    roots = {value for value in strings([loader.dataset for loader in loaders(cfg)]) if value.startswith("data/")}
    common_settings.set_data_root(cfg, "/elsewhere")
    new = [value for loader in (*LOADERS, "val_evaluator", "test_evaluator") for value in strings(cfg[loader])]
    moved = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    assert not [value for value in new if value.startswith("data/")]
    for before, after in moved:
        root = next(root for root in sorted(roots, key=len, reverse=True) if before.startswith(root))
        base = "/elsewhere/" if len(roots) == 1 else f"/elsewhere/{os.path.basename(root.rstrip('/'))}/"
        assert after == base + before.removeprefix(root)
    assert len(moved) >= len(loaders(cfg)) and cfg.get("data_root", "/elsewhere/").startswith("/elsewhere/")


@pytest.mark.parametrize("name", ["qpic_hqm_hico", "cdn_s_hico", "hotr_vcoco", "qpic_hoia"])
def test_the_learning_rate_takes_the_same_course(name):
    cfg = Config.fromfile(REPOSITORY / f"configs/{name}.py")
    before = Config.fromfile(REPOSITORY / f"configs/{name}.py")
    epochs = cfg.train_cfg.max_epochs
    common_settings.set_epochs(cfg, 2 * epochs)
    expected = rates(before, epochs, 40)
    assert rates(cfg, 2 * epochs, 40) == pytest.approx(expected) and len(set(expected)) > 1


def test_iterations_of_the_whole_training_are_stretched_and_warm_ups_are_not():
    cfg = Config.fromfile(REPOSITORY / "configs/interactiveness_hico.py")
    common_settings.set_epochs(cfg, 4)
    assert (cfg.param_scheduler[0].T_max, cfg.param_scheduler[0].end) == (160000, 160000)
    common_settings.set_batch_size(cfg, 4)
    assert cfg.param_scheduler[0].T_max == 40000
    cfg = Config.fromfile(REPOSITORY / "configs/qpic_toy.py")
    common_settings.set_epochs(cfg, 46)
    common_settings.set_batch_size(cfg, 16)
    assert cfg.param_scheduler[0].end == 200 and cfg.param_scheduler[1].milestones == [32, 40]
    assert cfg.max_epochs == 46


def test_configs_that_have_no_such_thing():
    cfg = Config(dict(train_cfg=dict(max_iters=9), train_dataloader=dict(dataset=dict(type="A"))))
    for change, value, message in (
        (common_settings.set_epochs, 3, "train_cfg.max_epochs"),
        (common_settings.set_data_root, "x", "data_root"),
        (common_settings.set_val_interval, 3, "val_dataloader"),
    ):
        with pytest.raises(ConfigError, match=message):
            change(cfg, value)


def test_loaders_without_a_number_of_workers_get_what_the_machine_has_cores_for(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(16)), raising=False)
    for processes, workers in ((1, 8), (2, 7), (8, 1), (32, 1)):
        monkeypatch.setenv("LOCAL_WORLD_SIZE", str(processes))
        cfg = Config(dict(train_dataloader=dict(batch_size=2), val_dataloader=dict(batch_size=1, num_workers=0)))
        common_settings.complete_loaders(cfg)
        assert (cfg.train_dataloader.num_workers, cfg.train_dataloader.persistent_workers) == (workers, True)
        assert cfg.val_dataloader.num_workers == 0 and "persistent_workers" not in cfg.val_dataloader
        assert cfg.train_dataloader.pin_memory == torch.cuda.is_available()
