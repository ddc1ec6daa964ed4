#!/usr/bin/env python
"""What a training iteration asks of a device, counted without one: operations, host reads, copies that block.

An operation dispatched by PyTorch stands for a kernel launch; on a CPU, dropout and attention with dropout are several
operations where a GPU has one kernel, so counts are upper bounds. What makes the host wait for a device is counted at
the calls that would do it there.
"""

import argparse
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.registry import init_default_scope
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from page import write_part  # noqa: E402
from step_timing import make_batch  # noqa: E402

from hqm_mmdet.apis import build_model  # noqa: E402
from hqm_mmdet.engine import MeanLossHook  # noqa: E402

CONFIGS = {
    "QPIC": "qpic_hqm_hico",
    "CDN-S": "cdn_s_hqm_hico",
    "Conditional": "conditional_hqm_hico",
    "HOTR": "hotr_hqm_hico",
    "GEN-VLKT-S": "genvlkt_s_hqm_hico",
}
ROUNDS = {"plain": None, "gbs": 0, "amm": 1}


class LaunchCounter(TorchDispatchMode):
    """Counts dispatched operations; views, allocations and bookkeeping launch nothing.

    As context manager; covers the backward pass too. ``counts`` holds the names.
    """

    FREE = ("detach", "empty", "new_empty", "lift", "is_", "_local_scalar_dense", "_unsafe_view")

    def __init__(self):
        super().__init__()
        self.counts: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """All operations."""
        return sum(self.counts.values())

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = str(func)
        if not func.is_view and not name.removeprefix("aten.").startswith(self.FREE):
            self.counts[name] += 1
        return func(*args, **(kwargs or {}))


class WaitCounter(TorchDispatchMode):
    """Counts, with :class:`CopyCounter`, what would make the host wait for a device.

    All tensors count as the device's, except those that ``host`` holds: fetched by ``cpu``, which counts itself, or
    made from Python or NumPy. A read of a device's value (``item``, ``bool``, ``nonzero``, a mask as index) is a wait,
    and so is a copy of the host's tensor to a device, unless it says ``non_blocking``.
    """

    READS = ("aten._local_scalar_dense", "aten.nonzero", "aten.masked_select", "aten._unique", "aten.equal")

    def __init__(self):
        super().__init__()
        self.counts: Counter[str] = Counter()
        self.host: dict[int, torch.Tensor] = {}  # kept alive, so that no other tensor gets their memory
        self.copies = CopyCounter(self)

    @property
    def total(self) -> int:
        """All waits."""
        return sum(self.counts.values())

    def __enter__(self):
        self.copies.__enter__()
        return super().__enter__()

    def __exit__(self, *error):
        super().__exit__(*error)
        self.copies.__exit__(*error)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = str(func)
        by_mask = name.startswith("aten.index.") and any(i is not None and i.dtype == torch.bool for i in args[1])
        if by_mask or (name.startswith(self.READS) and not self.is_on_host(args[0])):
            self.counts[name] += 1
        return func(*args, **(kwargs or {}))

    def is_on_host(self, tensor: torch.Tensor) -> bool:
        """Whether it is the host's."""
        return tensor.untyped_storage().data_ptr() in self.host

    def keep_on_host(self, tensor: torch.Tensor) -> None:
        """Note that it is."""
        self.host[tensor.untyped_storage().data_ptr()] = tensor


class CopyCounter(TorchFunctionMode):
    """Counts blocking copies, which have no operation of their own where all is one device.

    Args:
        waits (WaitCounter): gets the counts.
    """

    TO_HOST = (torch.Tensor.cpu, torch.Tensor.tolist)
    MAKERS = (torch.tensor, torch.as_tensor)

    def __init__(self, waits: WaitCounter):
        self.waits = waits

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if func in self.TO_HOST and not self.waits.is_on_host(args[0]):
            self.waits.counts["to the host"] += 1
            self.waits.keep_on_host(args[0])
        elif self._blocks(func, args, kwargs):
            self.waits.counts["to the device"] += 1
        elif func is torch.from_numpy or func in self.MAKERS:
            self.waits.keep_on_host(result)
        return result

    def _blocks(self, func, args: tuple, kwargs: dict) -> bool:
        """Whether it copies to a device, and waits."""
        if func is torch.Tensor.to:
            targets = (*args[1:2], kwargs.get("device"), kwargs.get("other"))
            names_a_device = any(isinstance(target, torch.device | str | torch.Tensor) for target in targets)
            return names_a_device and self.waits.is_on_host(args[0]) and not kwargs.get("non_blocking")
        return func is torch.Tensor.new_tensor or (func in self.MAKERS and kwargs.get("device") is not None)


@dataclass
class IterationCounts:
    """Of one training iteration.

    Args:
        forward, backward, optimizer (int): operations; the optimizer's with clipping.
        waits (Counter): by name.
    """

    forward: int
    backward: int
    optimizer: int
    waits: Counter

    @property
    def step(self) -> int:
        """Operations of forward, loss and backward."""
        return self.forward + self.backward


def count_iteration(model: torch.nn.Module, optim_wrapper: OptimWrapper, batch: tuple) -> IterationCounts:
    """A whole iteration, logging included; the model's samples are taken as they lie."""
    with WaitCounter() as waits:
        with LaunchCounter() as forward:
            loss, outputs = model.parse_losses(model(*batch, mode="loss"))
        optim_wrapper.zero_grad()
        with LaunchCounter() as backward:
            optim_wrapper.backward(loss)
        with LaunchCounter() as optimizer:
            optim_wrapper.step()
        MeanLossHook().after_train_iter(None, 0, outputs=outputs)
        for value in outputs.values():  # as mmengine puts them into the log
            value.item()
    return IterationCounts(forward.total, backward.total, optimizer.total, waits.counts)


def count_step(model: torch.nn.Module, batch: tuple) -> int:
    """Operations of forward, loss and backward of one training step."""
    model.zero_grad(set_to_none=True)
    with LaunchCounter() as counter:
        model.parse_losses(model(*batch, mode="loss"))[0].backward()
    return counter.total


def count_rounds(model: torch.nn.Module, optim_wrapper: OptimWrapper, batch: tuple) -> dict[str, IterationCounts]:
    """Iterations of a model with mining, and without it."""
    mining, counts = model.query_mining, {}
    mining.take_round(0)
    count_iteration(model, optim_wrapper, batch)  # the optimizer makes its state
    for name, index in ROUNDS.items():
        model.query_mining = None if index is None else mining
        if index is not None:
            mining.take_round(index)
        counts[name] = count_iteration(model, optim_wrapper, batch)
    return counts


def counts_of_config(name: str, size: tuple[int, int], batch: int, pairs: int) -> dict[str, IterationCounts]:
    """:func:`count_rounds` of a config with GBS and AMM as rounds 0 and 1."""
    torch.manual_seed(0)
    cfg = Config.fromfile(ROOT / "configs" / f"{name}.py")
    for part in (cfg.model, cfg.model.bbox_head):
        for setting in ("clip", "mimic_clip", "loss_image"):  # text and image towers need files
            if setting in part:
                part[setting] = None
    MMLogger.get_instance("launches", log_level="ERROR")
    init_default_scope("hqm_mmdet")
    model = build_model(cfg).train()
    return count_rounds(
        model, build_optim_wrapper(model, cfg.optim_wrapper), make_batch(size, batch, pairs, model.bbox_head)
    )


def as_markdown(results: dict[str, dict[str, IterationCounts]]) -> str:
    """A row per detector and kind of iteration."""
    lines = [
        "| | iteration | forward | backward | both | of plain | optimizer | waits |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for detector, rounds in results.items():
        for name, counts in rounds.items():
            ratio = counts.step / rounds["plain"].step
            row = (counts.forward, counts.backward, counts.step, f"{ratio:.2f}", counts.optimizer)
            cells = [detector, name, *row, sum(counts.waits.values())]
            lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, nargs=2, default=(320, 320), help="height and width")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=6, help="per image")
    parser.add_argument("--detectors", nargs="+", choices=CONFIGS, default=list(CONFIGS))
    parser.add_argument("--page", type=Path, help="Markdown file whose table is replaced")
    args = parser.parse_args()
    torch.set_num_threads(1)
    results = {d: counts_of_config(CONFIGS[d], tuple(args.size), args.batch, args.pairs) for d in args.detectors}
    size = "x".join(map(str, args.size))
    text = (
        f"{args.batch} images of {size}, {args.pairs} pairs each, torch {torch.__version__}\n\n{as_markdown(results)}"
    )
    print(text)
    for detector, rounds in results.items():
        for name, counts in rounds.items():
            print(detector, name, "waits:", dict(counts.waits))
    if args.page:
        write_part(args.page, "python benchmarks/launches.py", text)


if __name__ == "__main__":
    main()
