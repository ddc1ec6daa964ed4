"""A training step as two CUDA graphs, for models so small that starting their kernels takes longer than running them.

Graphs have fixed shapes, but every batch has its own number of labelled pairs. So targets and assignments are padded
to sizes that no batch exceeds; what is padded has no weight in any loss.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from unittest import mock

import numpy as np
import torch
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from hqm_mmdet.models.heads import HOIHead
from hqm_mmdet.models.heads.pair_head import PairHead
from hqm_mmdet.models.task_modules import Assignment, PairTargets
from hqm_mmdet.models.task_modules.matcher import solve
from hqm_mmdet.structures import HOIDataSample

from .device_data import DeviceLoader

# No other dimension of a toy model has this size, so numbers drawn for padded pairs are known by their shape.
MAX_PAIRS = 7  # of an image
MAX_ASSIGNED = 80  # pairs of a batch
LOSS_EVERY = 25  # iterations; reading it waits for the device


@dataclass
class FixedTargets(PairTargets):
    """Targets of any batch.

    Args:
        padding (Tensor): (B, P) bool, True beyond an image's pairs.
        count (Tensor): () labelled pairs of the batch.
    """

    padding: Tensor
    count: Tensor

    is_padded = True

    @property
    def num_pairs(self) -> Tensor:
        """Labelled pairs of the batch."""
        return self.count

    @property
    def padding_mask(self) -> Tensor:
        """(B, P) bool, True beyond an image's number of pairs."""
        return self.padding


@dataclass
class FixedAssignment(Assignment):
    """An assignment of any batch; rows beyond its pairs repeat the first one.

    Args:
        weight (Tensor): (M,) 1, or 0 where a row is a repetition.
        slot_image, slot (Tensor): (M,) long, image and place in it of every labelled pair, in order.
    """

    weight: Tensor
    slot_image: Tensor
    slot: Tensor

    def total(self, values: Tensor) -> Tensor:
        """As in the base class, without the repetitions."""
        return super().total(values * self.weight)

    def with_slots(self, counts: list[int]) -> Assignment:
        """As in the base class; ``counts`` are not asked."""
        slot = self.slot.expand_as(self.query)
        return replace(self, image=self.slot_image, query=slot, target=slot)


class Staged:
    """Device memory that the host fills without waiting.

    :attr:`host` must not change before the device has read it. In a step it can't: the next one begins after the
    matching of this one, which waits for the device.

    Args:
        there (Tensor): the device's.
    """

    def __init__(self, there: Tensor):
        self.there = there
        self.host = torch.zeros(there.shape, dtype=there.dtype, pin_memory=there.is_cuda)

    def send(self) -> None:
        """What :attr:`host` holds now."""
        self.there.copy_(self.host, non_blocking=True)


class HostValues(TorchFunctionMode):
    """Makes what a step takes from the host ready for being captured.

    The first time, it notes random draws and tensors that are copied to the device; from then on the same code gets the
    same device memory, in the same order. :meth:`draw` fills that of the draws anew.
    """

    DRAWS = {torch.rand: torch.rand, torch.rand_like: torch.rand, torch.randn_like: torch.randn}
    COPIES = (torch.Tensor.to, torch.Tensor.new_tensor, torch.tensor)

    def __init__(self):
        super().__init__()
        self._noted: list[Tensor | None] = []  # of every call of the above; None if it is to be done again
        self._draws: list[tuple[Callable[..., Tensor], Staged]] = []
        self._place: int | None = None  # while noting
        self._aside = False

    def replay(self) -> None:
        """Hand out from the start."""
        self._place = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        """See :class:`TorchFunctionMode`."""
        kwargs = kwargs or {}
        if self._aside or (func not in self.DRAWS and func not in self.COPIES):
            return func(*args, **kwargs)
        if self._place is None:
            value = func(*args, **kwargs)
            from_host = func is not torch.Tensor.to or args[0].is_cpu
            self._noted.append(value if func in self.DRAWS or (from_host and not value.is_cpu) else None)
            if func in self.DRAWS:
                self._draws.append((self.DRAWS[func], Staged(value)))
            return value
        noted, self._place = self._noted[self._place], self._place + 1
        return func(*args, **kwargs) if noted is None else noted

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Inside, what is called is no part of the step."""
        self._aside = True
        try:
            yield
        finally:
            self._aside = False

    def draw(self, num_pairs: int) -> None:
        """New numbers, those of the CPU's generator for a batch whose images have up to ``num_pairs`` pairs."""
        for draw, staged in self._draws:
            host = staged.host
            values = draw([num_pairs if size == MAX_PAIRS else size for size in host.shape], dtype=host.dtype)
            host[tuple(map(slice, values.shape))] = values
            staged.send()


@dataclass
class Step:
    """What is kept of a captured step.

    Args:
        values: from the host.
        loss: () where the sum of all losses is found.
        costs: (L, B, N, P) where those of the matching are found.
        graphs: before and after the matching; () where nothing is captured.
    """

    values: HostValues
    loss: Tensor
    costs: Tensor
    graphs: tuple["torch.cuda.CUDAGraph", ...] = ()


class GraphedStep:
    """Stands for ``train_step`` of a model: the same losses, gradients and updates.

    Matching stays on the host, between the two graphs. Every round of the mining has graphs of its own. On a CPU, the
    padded step runs as it is, for tests.

    Args:
        model (nn.Module): a :class:`~hqm_mmdet.models.detectors.HOIDETR` that :meth:`fits`.
        loader (DeviceLoader): all that it trains on.

    Raises:
        ValueError: an image has more pairs than there is room for.
    """

    @staticmethod
    def fits(model: nn.Module) -> bool:
        """Whether the model's matching and losses are those that are padded here."""
        head = model.bbox_head
        return isinstance(head, HOIHead) and type(head).assign is PairHead.assign and head.interactiveness is None

    def __init__(self, model: nn.Module, loader: DeviceLoader):
        self.model, self.head, batch = model, model.bbox_head, loader.batch_size
        self.device = loader.images.device
        chunks = [
            model.data_preprocessor(dict(inputs=list(images), data_samples=None), True)["inputs"]
            for images in loader.images.split(200)
        ]
        self._all_images = torch.cat(chunks)
        targets = self.head.checked(PairTargets.from_samples(loader.samples))
        self._counts, self._names = np.array(targets.counts), targets.names
        if self._counts.max() > MAX_PAIRS:
            raise ValueError(f"An image has {self._counts.max()} pairs; graphs.py has room for {MAX_PAIRS}.")
        self._all_targets = {
            name: _padded(value).to(self.device) for name, value in vars(targets).items() if isinstance(value, Tensor)
        }
        beyond = np.arange(MAX_PAIRS) >= self._counts[:, None]
        self._all_targets["padding"] = torch.from_numpy(beyond).to(self.device)

        # Where graphs find a batch.
        self.images = self._all_images[:batch].clone()
        self.samples = [HOIDataSample() for _ in range(batch)]
        fields = {name: value[:batch].clone() for name, value in self._all_targets.items()}
        self._index = Staged(torch.zeros(batch, dtype=torch.long, device=self.device))
        self.targets = FixedTargets(**fields, counts=[], names=[], count=torch.zeros((), device=self.device))
        self._layers = 0
        self._stream = torch.cuda.Stream() if self.device.type == "cuda" else None
        self._steps: dict[int | None, Step] = {}
        self._parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self._iteration, self._last_loss = 0, float("nan")

    def __call__(self, data: Mapping, optim_wrapper: OptimWrapper) -> dict[str, Tensor | float]:
        """One iteration; the loss is that of the last iteration that read it."""
        self._rows = data["rows"]
        self._index.host.copy_(torch.tensor(self._rows))
        self._index.send()
        mining = self.model.query_mining
        key = mining.current_round if mining is not None else None
        if key not in self._steps:
            self._steps[key] = self._prepare(optim_wrapper)
        step = self._steps[key]
        step.values.draw(int(self._counts[self._rows].max()))
        if step.graphs:
            before, after = step.graphs
            before.replay()
            self._costs = step.costs
            self._match()
            after.replay()
        else:
            step.values.replay()
            step.loss = self._run(step.values, self._match, optim_wrapper)
        optim_wrapper.optimizer.step()
        if self._iteration < LOSS_EVERY or self._iteration % LOSS_EVERY == 0:
            self._last_loss = step.loss.item()
        self._iteration += 1
        return dict(loss=torch.tensor(self._last_loss))

    def _load(self) -> None:
        """Put the batch of the index where the model finds it."""
        index = self._index.there
        torch.index_select(self._all_images, 0, index, out=self.images)
        for name, values in self._all_targets.items():
            torch.index_select(values, 0, index, out=getattr(self.targets, name))
        self.targets.count.copy_((~self.targets.padding).sum())

    def _run(self, values: HostValues, match: Callable[[], None], optim_wrapper: OptimWrapper) -> Tensor:
        """Loss and clipped gradients of the batch; ``match`` is called where the host has work to do."""

        def assign(preds: dict[str, Tensor], targets: PairTargets) -> Assignment:
            self._costs = self.head.matcher.cost_matrix(preds, targets)
            with values.aside():
                match()
            return self.assigned

        self._load()
        for parameter in self._parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        torch._foreach_zero_([parameter.grad for parameter in self._parameters])
        patch = mock.patch.object
        with values, patch(self.head, "targets", lambda samples: self.targets), patch(self.head, "assign", assign):
            loss, _ = self.model.parse_losses(self.model.loss(self.images, self.samples))
        loss.backward()
        nn.utils.clip_grad_norm_(self._parameters, **optim_wrapper.clip_grad_kwargs)
        return loss.detach()

    def _match(self) -> None:
        """Match, and put the assignment where graphs find it."""
        costs, counts = self._costs.cpu().numpy(), self._counts[self._rows]
        per_image = [costs[:, i, :, :count] for i, count in enumerate(counts)]
        found = solve(per_image, [self._names[row] for row in self._rows], torch.device("cpu"))
        slot_image = np.repeat(np.arange(len(counts)), counts)
        slots = np.concatenate([np.arange(count) for count in counts])
        rows = np.stack([found.image, *found.query, *found.target, slot_image, slots, np.ones_like(slots)])
        padded = np.repeat(rows[:, :1], MAX_ASSIGNED, 1)
        padded[:, : rows.shape[1]] = rows
        padded[-1, rows.shape[1] :] = 0
        if not self._layers:
            self._layers = len(costs)
            self._packed = Staged(torch.from_numpy(padded).to(self.device))
            image, query, target, slot_image, slot, weight = self._packed.there.split(
                [1, self._layers, self._layers, 1, 1, 1]
            )
            self.assigned = FixedAssignment(image[0], query, target, weight[0], slot_image[0], slot[0])
        self._packed.host.copy_(torch.from_numpy(padded))
        self._packed.send()

    def _prepare(self, optim_wrapper: OptimWrapper) -> Step:
        """Run once to see what comes from the host, then capture; the model stays as it is."""
        buffers, generator = [buffer.clone() for buffer in self.model.buffers()], torch.get_rng_state()
        values = HostValues()
        with self._beside():
            loss = self._run(values, self._match, optim_wrapper)
        step = Step(values, loss, self._costs)
        if self.device.type == "cuda":
            step = self._capture(values, optim_wrapper)
        for buffer, before in zip(self.model.buffers(), buffers, strict=True):
            buffer.copy_(before)
        torch.set_rng_state(generator)
        return step

    def _capture(self, values: HostValues, optim_wrapper: OptimWrapper) -> Step:
        before, after = torch.cuda.CUDAGraph(), torch.cuda.CUDAGraph()

        def match() -> None:
            before.capture_end()
            after.capture_begin(pool=before.pool())

        values.replay()
        with self._beside():
            before.capture_begin()
            loss = self._run(values, match, optim_wrapper)
            after.capture_end()
        return Step(values, loss, self._costs, (before, after))

    @contextmanager
    def _beside(self) -> Iterator[None]:
        """On a stream of its own, the same every time: that of a captured gradient must be the capturing one."""
        if self._stream is None:
            yield
            return
        torch.cuda.synchronize()
        with torch.cuda.stream(self._stream):
            yield
        torch.cuda.synchronize()


def _padded(values: Tensor) -> Tensor:
    """(n, P, ...) -> (n, MAX_PAIRS, ...); sizes of images, (n, 4), stay."""
    if values.dim() == 2 and values.is_floating_point():
        return values
    return nn.functional.pad(values, (0, 0) * (values.dim() - 2) + (0, MAX_PAIRS - values.shape[1]))
