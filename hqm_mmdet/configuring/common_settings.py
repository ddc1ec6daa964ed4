"""The common wishes about a training, put where each config has them."""

import os
from collections.abc import Iterator, Sequence

import torch
from mmengine.config import Config, ConfigDict

from hqm_mmdet.errors import ConfigError

SPLITS = ("train", "val", "test")
# Warm-ups count iterations of the beginning; a longer or shorter training leaves them as they are.
WARM_UPS = ("LinearLR", "ConstantLR", "PolyLR")


def set_epochs(cfg: Config, epochs: int) -> None:
    """Train so many epochs; whatever counts epochs, or iterations of the whole training, is stretched with them.

    Stretched are ends, milestones, steps and periods of ``param_scheduler``, and the epochs from which validation comes
    at another interval (``dynamic_intervals``). A validation interval longer than the training becomes its length.

    Raises:
        ConfigError: the config does not count epochs.
    """
    if not cfg.train_cfg.get("max_epochs"):
        raise ConfigError("--epochs needs a config that trains by epochs (train_cfg.max_epochs).")
    factor = epochs / cfg.train_cfg.max_epochs
    cfg.train_cfg.max_epochs = epochs
    if "max_epochs" in cfg:  # the name that a schedule may give the number; nothing reads it, but a dump shows it
        cfg.max_epochs = epochs
    cfg.train_cfg.val_interval = min(cfg.train_cfg.get("val_interval", 1), epochs)
    if cfg.train_cfg.get("dynamic_intervals"):
        # counted from 1: an interval that begins in epoch 101 comes after the first 100
        cfg.train_cfg.dynamic_intervals = [
            (_stretched(begin - 1, factor) + 1, interval) for begin, interval in cfg.train_cfg.dynamic_intervals
        ]
    for scheduler in _schedulers(cfg):
        if scheduler.get("by_epoch", True) or scheduler["type"] not in WARM_UPS:
            _stretch(scheduler, factor)


def set_batch_size(cfg: Config, batch_size: int) -> None:
    """So many images per process and iteration; what counts iterations of the whole training is stretched inversely."""
    factor = cfg.train_dataloader.batch_size / batch_size
    cfg.train_dataloader.batch_size = batch_size
    for scheduler in _schedulers(cfg):
        if not scheduler.get("by_epoch", True) and scheduler["type"] not in WARM_UPS:
            _stretch(scheduler, factor)


def set_learning_rate(cfg: Config, rate: float) -> None:
    """The base rate; parts of the model keep their multiples of it."""
    cfg.optim_wrapper.optimizer.lr = rate


def set_data_root(cfg: Config, folder: str) -> None:
    """Where the data set lies, for data loaders and for evaluators that read files of it.

    Of a config with several data sets it is the folder that holds theirs, under their usual names.

    Raises:
        ConfigError: a data set of the config has no ``data_root``.
    """
    datasets = [dataset for split in SPLITS for dataset in _datasets(cfg, split)]
    roots = {dataset.get("data_root") for dataset in datasets}
    if not roots or not all(roots):
        raise ConfigError("--data-root needs data sets with data_root; set their paths with --cfg-options.")
    # With a separator at the end, as configs add names to it.
    folder = os.path.join(os.path.expanduser(folder), "")
    new = {root: folder if len(roots) == 1 else os.path.join(folder, _last(root), "") for root in roots}
    for dataset in datasets:
        dataset.data_root = new[dataset.data_root]
    for split in SPLITS:
        if cfg.get(f"{split}_evaluator"):
            cfg[f"{split}_evaluator"] = _moved(cfg[f"{split}_evaluator"], new)
    if cfg.get("data_root") in new:
        cfg.data_root = new[cfg.data_root]


def set_workers(cfg: Config, workers: int) -> None:
    """Processes that load data, in training, validation and testing; 0: none of their own."""
    for split in SPLITS:
        if loader := cfg.get(f"{split}_dataloader"):
            # Kept from one epoch to the next, which spares starting them, and images that they keep in memory.
            loader.num_workers, loader.persistent_workers = workers, workers > 0


def complete_loaders(cfg: Config) -> None:
    """Give data loaders without ``num_workers`` the processes that this machine has cores for, and pinned memory for a
    GPU to copy from while it computes."""
    for split in SPLITS:
        if loader := cfg.get(f"{split}_dataloader"):
            if "num_workers" not in loader:
                loader.num_workers, loader.persistent_workers = default_workers(), True
            loader.setdefault("pin_memory", torch.cuda.is_available())


def default_workers() -> int:
    """Data loading processes of each training process: one of its cores stays free, and at most 8 are started."""
    # what a container or a scheduler leaves of the machine
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    processes = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    return min(max(cores // processes - 1, 1), 8)


def set_val_interval(cfg: Config, epochs: int) -> None:
    """Validate every so many epochs, from beginning to end.

    Raises:
        ConfigError: the config does not validate.
    """
    if not cfg.get("val_dataloader"):
        raise ConfigError("--val-interval needs a config that validates (val_dataloader).")
    cfg.train_cfg.val_interval, cfg.train_cfg.dynamic_intervals = epochs, None


def start_afresh(cfg: Config, prefixes: Sequence[str]) -> None:
    """Parameters that keep their initialisation where ``load_from`` has another shape, besides those of the config."""
    hook = cfg.default_hooks.setdefault("weight_check", ConfigDict(type="WeightCheckHook"))
    hook.fresh = (*hook.get("fresh", ()), *prefixes)


def _schedulers(cfg: Config) -> list[ConfigDict]:
    schedulers = cfg.get("param_scheduler") or []
    return schedulers if isinstance(schedulers, list) else [schedulers]


def _stretch(scheduler: ConfigDict, factor: float) -> None:
    for key in ("begin", "end", "T_max", "step_size"):
        if scheduler.get(key):  # not 0, and not None
            scheduler[key] = _stretched(scheduler[key], factor)
    for key in ("milestones", "periods"):
        if key in scheduler:
            scheduler[key] = [_stretched(value, factor) for value in scheduler[key]]


def _stretched(count: int, factor: float) -> int:
    """At least 1, as nothing ends before it began."""
    return max(1, round(count * factor))


def _datasets(cfg: Config, split: str) -> Iterator[ConfigDict]:
    """Data sets of a loader, without the wrappers around them."""
    loader = cfg.get(f"{split}_dataloader")
    yield from _leaves(loader.dataset) if loader else ()


def _leaves(dataset: ConfigDict) -> Iterator[ConfigDict]:
    inner = [dataset.dataset] if "dataset" in dataset else dataset.get("datasets")
    if inner is None:
        yield dataset
    for each in inner or ():
        yield from _leaves(each)


def _last(root: str) -> str:
    return os.path.basename(os.path.normpath(root))


def _moved(value, roots: dict[str, str]):
    """The same settings with paths below other roots."""
    if isinstance(value, dict):
        return type(value)({key: _moved(item, roots) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return type(value)(_moved(item, roots) for item in value)
    old = next((root for root in roots if isinstance(value, str) and value.startswith(root)), None)
    return value if old is None else roots[old] + value.removeprefix(old).lstrip("/")
