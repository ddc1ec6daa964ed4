"""Joining the processes of a distributed run, with or without GPUs."""

import gc
import logging
import os
import subprocess
from datetime import timedelta

import torch
import torch.distributed as dist
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from torch import nn

from hqm_mmdet.errors import UserError
from hqm_mmdet_cli.installation import script

from .attempts import has_agent_store, join_attempt

TIMEOUT = timedelta(minutes=30)  # torch's own, if the config has none
LAUNCHERS = ("none", "pytorch", "slurm", "mpi")
# What each launcher calls (rank, number of processes, rank on this machine, processes on this machine).
RANK_VARIABLES = {
    "pytorch": ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"),
    "slurm": ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID", "SLURM_STEP_TASKS_PER_NODE"),
    "mpi": (
        "OMPI_COMM_WORLD_RANK",
        "OMPI_COMM_WORLD_SIZE",
        "OMPI_COMM_WORLD_LOCAL_RANK",
        "OMPI_COMM_WORLD_LOCAL_SIZE",
    ),
}


class LaunchError(UserError, RuntimeError):
    """A launcher that did not set what processes need to find each other."""


def join_processes(cfg: Config, launcher: str) -> None:
    """Make this process part of the run that a launcher has started, before the runner is built.

    mmengine would do this in its runner, but insists on one GPU per process. Here the backend is what the machine has:
    nccl with a GPU per process, else gloo (CPU, or several processes sharing a GPU, for trying things out). Other
    accelerators are left to mmengine.

    Args:
        cfg (Config): gets ``launcher`` and, for gloo, the ``model_wrapper_cfg`` that it needs; where torchrun has
            restarted the processes, ``restarted_since``, the Unix time at which the run began. Options other than
            ``backend`` in ``env_cfg.dist_cfg`` are heeded (``timeout`` in seconds).
        launcher (str): one of ``none``, ``pytorch``, ``slurm``, ``mpi``.

    Raises:
        LaunchError: the launcher's environment variables are missing.
        JoinError: a process did not come in time.
    """
    cfg.launcher = launcher
    if launcher == "none" or get_device() not in ("cpu", "cuda"):
        return
    local_rank, local_size = _read_environment(launcher)
    num_gpus = torch.cuda.device_count()
    backend = _backend(launcher, num_gpus, local_size)
    if num_gpus:
        torch.cuda.set_device(local_rank % num_gpus)
    options = {name: value for name, value in cfg.get("env_cfg", {}).get("dist_cfg", {}).items() if name != "backend"}
    if "timeout" in options:
        options["timeout"] = timedelta(seconds=options["timeout"])
    if launcher == "pytorch" and has_agent_store() and "init_method" not in options:
        store, since = join_attempt(options.get("timeout", TIMEOUT))
        options |= dict(store=store, rank=int(os.environ["RANK"]), world_size=int(os.environ["WORLD_SIZE"]))
        if since is not None:
            cfg.restarted_since = since
    dist.init_process_group(backend, **options)
    if backend == "gloo":
        _wrap_without_devices(cfg)


def _backend(launcher: str, num_gpus: int, local_size: int) -> str:
    """``nccl`` with a GPU per process, else ``gloo``; nccl refuses two processes on one GPU."""
    # Slurm can show each process its own GPU only, which it then counts as the one there is
    by_task = ("SLURM_GPUS_PER_TASK", "SLURM_TRES_PER_TASK")
    own_gpu = launcher == "slurm" and any(
        "gpu" in name.lower() or "gpu" in os.environ[name] for name in by_task if name in os.environ
    )
    enough = num_gpus >= local_size or (own_gpu and num_gpus)
    if enough and dist.is_nccl_available():
        return "nccl"
    if num_gpus:
        reason = f"{local_size} processes share {num_gpus} GPU(s)" if not enough else "this torch has no nccl"
        print_log(
            f"Processes talk by gloo, which is slow, because {reason} on this machine. Start one process per GPU "
            "(srun: --ntasks-per-node as many as GPUs, or --gpus-per-task=1).",
            logger="current",
            level=logging.WARNING,
        )
    return "gloo"


def leave_processes() -> None:
    """End the run in order, when all processes are done."""
    if dist.is_available() and dist.is_initialized():
        # The runner is part of a reference cycle and holds the wrapped model, and through it the process group. Unless
        # it is collected first, gloo's threads live until the process exits, which then now and then aborts.
        gc.collect()
        dist.barrier()
        dist.destroy_process_group()


def unwrapped(model: nn.Module) -> nn.Module:
    """The model itself, with or without a wrapper such as DistributedDataParallel around it."""
    return model.module if is_model_wrapper(model) else model


def _wrap_without_devices(cfg: Config) -> None:
    """DDP takes the device from the model instead of from the local rank."""
    defaults = dict(broadcast_buffers=False, find_unused_parameters=cfg.get("find_unused_parameters", False))
    given = cfg.get("model_wrapper_cfg") or {}
    cfg.model_wrapper_cfg = {**defaults, "type": "MMDistributedDataParallel", **given, "device_ids": None}


def _read_environment(launcher: str) -> tuple[int, int]:
    """Local rank and number of processes on this machine; sets what torch reads (``RANK``, ``MASTER_ADDR``, ...)."""
    names = RANK_VARIABLES[launcher]
    missing = [name for name in names[:3] if name not in os.environ]
    if missing:
        raise LaunchError(
            f"--launcher {launcher}: the environment lacks {', '.join(missing)}. Start through "
            f"{script('dist_train.sh')} or slurm_train.sh, or use --launcher none for a single process."
        )
    rank, world_size, local_rank = (os.environ[name] for name in names[:3])
    os.environ.update(RANK=rank, WORLD_SIZE=world_size, LOCAL_RANK=local_rank)
    local_size = _local_size(os.environ.get(names[3]) or os.environ.get("SLURM_TASKS_PER_NODE"), world_size)
    os.environ.setdefault("LOCAL_WORLD_SIZE", str(local_size))
    os.environ.setdefault("MASTER_PORT", "29500")
    if "MASTER_ADDR" not in os.environ:
        os.environ["MASTER_ADDR"] = _first_slurm_host() if launcher == "slurm" else "127.0.0.1"
    return int(local_rank), local_size


def _local_size(given: str | None, world_size: str) -> int:
    """Processes on this machine, of a number or of Slurm's list of numbers by machine, ``8(x2),4``."""
    if not given:
        return int(world_size)
    by_machine = []
    for part in given.split(","):
        count, _, times = part.rstrip(")").partition("(x")
        by_machine += [int(count)] * int(times or 1)
    return by_machine[min(int(os.environ.get("SLURM_NODEID", 0)), len(by_machine) - 1)]


def _first_slurm_host() -> str:
    command = ["scontrol", "show", "hostnames", os.environ["SLURM_JOB_NODELIST"]]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[0]
