"""What the command line tools have in common."""

import os
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from hqm_mmdet.configuring import complete_loaders, find_config, merge_options, parse_config, unread_in_files
from hqm_mmdet.engine import CalmRunner
from hqm_mmdet.mmengine_doors import local_files_only
from hqm_mmdet_cli.checks import require_checkpoint
from hqm_mmdet_cli.errors import is_user_error, tell

from .distributed import join_processes, leave_processes
from .find_checkpoint import find_latest_checkpoint
from .memory import keep_freed_memory


def read_config_file(config: str) -> Config:
    """The config of a file, see :func:`~hqm_mmdet.configuring.find_config`.

    Raises:
        FileNotFoundError: no such config.
        ConfigError: it can't be read.
    """
    path = find_config(config)
    cfg = parse_config(path)
    for warning in unread_in_files(path, cfg) if is_first_process() else ():
        print(f"warning: {warning}", file=sys.stderr)
    return cfg


def load_config(config: str, cfg_options: dict, work_dir: str | None = None, launcher: str = "none") -> Config:
    """The config with the command line's changes, and the processes joined.

    Args:
        config (str): path, see :func:`~hqm_mmdet.configuring.find_config`.
        cfg_options (dict): settings that replace the config's, by dotted names.
        work_dir (str, optional): where logs and checkpoints go. Default: the config's, or ``work_dirs/<config name>``.
        launcher (str): what started this process, see :func:`join_processes`. Default: ``none``.

    Raises:
        FileNotFoundError, ConfigError: see :func:`read_config_file` and
            :func:`~hqm_mmdet.configuring.merge_options`.
    """
    cfg = read_config_file(config)
    merge_options(cfg, cfg_options)
    cfg.work_dir = work_dir or cfg.get("work_dir") or os.path.join("work_dirs", Path(config).stem)
    join_processes(cfg, launcher)
    return cfg


def set_start(cfg: Config, resume: str | None) -> None:
    """Decide what training starts from.

    Args:
        cfg (Config): gets ``resume`` and ``load_from``. After a restart (:func:`join_processes`) training goes on from
            the newest complete checkpoint that the run has written; if there is none, it begins as it did before.
        resume (str, optional): a checkpoint to go on from, or ``auto`` for the newest complete one in the work folder.
            If there is none, training starts as the config says, with its ``load_from``.

    Raises:
        FileNotFoundError: no such checkpoint.
    """
    since = cfg.pop("restarted_since", None)
    if since is not None and (latest := find_latest_checkpoint(cfg.work_dir, since)) is not None:
        resume = latest
        if is_first_process():
            print(f"Restarted; training goes on from {latest}.")
    elif resume == "auto":
        resume = find_latest_checkpoint(cfg.work_dir)
        if resume is None and is_first_process():
            print(f"Nothing to resume in {cfg.work_dir}; training starts from the beginning.")
    # Resuming goes before `load_from`: the former holds what the latter began.
    if resume is not None:
        cfg.resume, cfg.load_from = True, resume
    if cfg.get("load_from"):
        require_checkpoint(cfg.load_from)


def use_mixed_precision(cfg: Config) -> None:
    """bfloat16 on CPUs and on GPUs that have it, else float16 with loss scaling."""
    # Older GPUs than compute capability 8.0 have no hardware for bfloat16.
    if torch.cuda.is_available() and torch.cuda.get_device_capability() < (8, 0):
        cfg.optim_wrapper.update(type="AmpOptimWrapper", dtype="float16", loss_scale="dynamic")
    else:
        cfg.optim_wrapper.type = "BFloat16OptimWrapper"


def build_runner(cfg: Config, calm: bool = False) -> Runner:
    """mmengine's runner, or with ``calm`` the one with a short console; what ``runner_type`` names goes before."""
    if not torch.cuda.is_available():
        keep_freed_memory()
    complete_loaders(cfg)
    if "runner_type" in cfg:
        return RUNNERS.build(cfg)
    return (CalmRunner if calm else Runner).from_cfg(cfg)


def is_first_process() -> bool:
    """Whether this process speaks for all, also before they are joined."""
    return os.environ.get("RANK", "0") == "0"


def run_locally(work: Callable[..., int | None], *args, **options) -> int:
    """Do something without downloads of checkpoints, then leave the other processes in order.

    Returns:
        int: exit status: that of ``work``, or 0.
    """
    with local_files_only():
        status = work(*args, **options)
    # Not in a `finally`: after an error, a barrier would wait for processes that went on.
    leave_processes()
    return status or 0


def run_tool(main: Callable[[Namespace], int | None], args: Namespace) -> int:
    """Run a tool that is no command of ``hqm-mmdet``; what the user can mend is told in one message.

    Args:
        main (callable): takes the arguments; may return an exit status of its own.
        args (Namespace): with ``debug``; the environment variable ``HQM_DEBUG=1`` does the same.

    Returns:
        int: exit status: main's own, 0, or 2.
    """
    try:
        return run_locally(main, args)
    except Exception as error:
        if not is_user_error(error):
            raise
        return tell(error, args.debug)
