"""Joining the processes of a distributed run, with or without GPUs."""

import gc
import os
import subprocess
from datetime import timedelta

import torch
import torch.distributed as dist
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.model import is_model_wrapper
from torch import nn

from hqm_mmdet.errors import UserError
from hqm_mmdet_cli.installation import script

LAUNCHERS = ("none", "pytorch", "slurm", "mpi")
# What each launcher calls (rank, number of processes, rank on this machine, processes on this machine).
RANK_VARIABLES = {
    "pytorch": ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"),
    "slurm": ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID", "SLURM_NTASKS_PER_NODE"),
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
        cfg (Config): gets ``launcher`` and, for gloo, the ``model_wrapper_cfg`` that it needs; options other than
            ``backend`` in ``env_cfg.dist_cfg`` are heeded (``timeout`` in seconds).
        launcher (str): one of ``none``, ``pytorch``, ``slurm``, ``mpi``.

    Raises:
        LaunchError: the launcher's environment variables are missing.
    """
    cfg.launcher = launcher
    if launcher == "none" or get_device() not in ("cpu", "cuda"):
        return
    local_rank, local_size = _read_environment(launcher)
    num_gpus = torch.cuda.device_count()
    # nccl refuses two processes on one GPU.
    backend = "nccl" if num_gpus >= local_size and dist.is_nccl_available() else "gloo"
    if num_gpus:
        torch.cuda.set_device(local_rank % num_gpus)
    options = {name: value for name, value in cfg.get("env_cfg", {}).get("dist_cfg", {}).items() if name != "backend"}
    if "timeout" in options:
        options["timeout"] = timedelta(seconds=options["timeout"])
    dist.init_process_group(backend, **options)
    if backend == "gloo":
        _wrap_without_devices(cfg)


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
    os.environ.setdefault("LOCAL_WORLD_SIZE", os.environ.get(names[3], world_size))
    os.environ.setdefault("MASTER_PORT", "29500")
    if "MASTER_ADDR" not in os.environ:
        os.environ["MASTER_ADDR"] = _first_slurm_host() if launcher == "slurm" else "127.0.0.1"
    return int(local_rank), int(os.environ.get(names[3], world_size))


def _first_slurm_host() -> str:
    command = ["scontrol", "show", "hostnames", os.environ["SLURM_JOB_NODELIST"]]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[0]
