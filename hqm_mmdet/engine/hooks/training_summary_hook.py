"""What is trained on what, in a few lines."""

import os

import torch
from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from torch import nn

from hqm_mmdet.internals import is_resuming, loaded_from
from hqm_mmdet.registry import HOOKS
from hqm_mmdet.utils.distributed import unwrapped

from .random_state_hook import base_datasets


@HOOKS.register_module()
class TrainingSummaryHook(Hook):
    """Logs a summary when everything is built and loaded, and opens the console for what follows.

    Args:
        console (CalmConsole, optional): of the runner, see :class:`~hqm_mmdet.engine.CalmRunner`. Default: none.
    """

    priority = "LOWEST"  # after the checks

    def __init__(self, console=None):
        self.console = console

    def before_train(self, runner) -> None:
        """Tell, then begin."""
        self._open_console()
        rows = summary(runner)
        width = max(map(len, rows))
        runner.logger.info("Training\n" + "\n".join(f"  {name:<{width}}  {value}" for name, value in rows.items()))

    def before_test(self, runner) -> None:
        """Begin; what is tested, the command has said."""
        self._open_console()

    def _open_console(self) -> None:
        if self.console is not None:
            self.console.is_open = True


def summary(runner) -> dict[str, str]:
    """Rows of the summary: model, data, schedule, optimizer, start, device, where results go."""
    return {
        "model": _model(unwrapped(runner.model)),
        "data": _data(runner),
        "schedule": _schedule(runner),
        "start": start_of(runner),
        "device": _device(unwrapped(runner.model)),
        "results": os.path.relpath(runner.work_dir),
        "full log": os.path.relpath(f"{runner.log_dir}/{runner.timestamp}.log"),
    }


def _model(model: nn.Module) -> str:
    parameters = list(model.parameters())
    total, learning = (sum(p.numel() for p in parameters if p.requires_grad or every) for every in (True, False))
    mining = " with query mining" if getattr(model, "query_mining", None) is not None else ""
    return f"{type(model).__name__}{mining}, {total / 1e6:.1f} M parameters, {learning / 1e6:.1f} M of them learn"


def _data(runner) -> str:
    train = runner.train_dataloader.dataset
    files = ", ".join(str(part.ann_file) for part in base_datasets(train) if getattr(part, "ann_file", None))
    validation = "no validation"
    if runner.val_loop is not None:
        validation = f"{len(runner.val_loop.dataloader.dataset):,} for validation"
    return f"{len(train):,} images, {validation}" + (f" ({files})" if files else "")


def _schedule(runner) -> str:
    loader, loop = runner.train_dataloader, runner.train_loop
    batch = f"{loader.batch_size} images" + (f" in each of {get_world_size()} processes" * (get_world_size() > 1))
    length = (
        f"{runner.max_epochs} epoch{'s' * (runner.max_epochs > 1)} of {len(loader):,}"
        if runner.max_epochs
        else f"{runner.max_iters:,}"
    )
    unit = "epoch" if runner.max_epochs else "iteration"
    interval = unit if loop.val_interval == 1 else f"{loop.val_interval} {unit}s"
    every = f", validation every {interval}" if runner.val_loop is not None else ""
    # A scheduler that warms up has lowered the rate already.
    rates = sorted({group.get("initial_lr", group["lr"]) for group in runner.optim_wrapper.param_groups}, reverse=True)
    rate = f", learning rates {', '.join(f'{rate:.3g}' for rate in rates[:3])}" if len(rates) > 1 else ""
    rate = rate or f", learning rate {rates[0]:.3g}"
    return f"{length} iterations, {batch} per iteration{every}{rate}"


def start_of(runner) -> str:
    """What a training begins with, in words."""
    if is_resuming(runner):
        return f"resumed from {loaded_from(runner)}, after {runner.epoch} epochs, {runner.iter:,} iterations"
    start = str(loaded_from(runner) or "random weights")
    # A two-stage model's detector may have a file of its own.
    detector = getattr(getattr(unwrapped(runner.model), "instances", None), "checkpoint", None)
    return start if detector is None else f"{start}, its detector from {detector}"


def _device(model: nn.Module) -> str:
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    name = f" ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else ""
    threads = f", {torch.get_num_threads()} thread{'s' * (torch.get_num_threads() > 1)}" if device.type == "cpu" else ""
    count = get_world_size()
    return f"{device}{name}, {count} process{'es' if count > 1 else ''}{threads}"
