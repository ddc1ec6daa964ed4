"""Bipartite matching of predicted and labelled pairs, for all decoder layers and images in one go."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from mmengine.dist import all_gather_object, all_reduce, get_world_size
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from hqm_mmdet.registry import TASK_UTILS

from .costs import Predictions
from .targets import PairTargets


@dataclass
class Assignment:
    """Which query stands for which labelled pair. A head may extend it by what else it matched.

    M is the number of assigned pairs of the batch, the same for every decoder layer. Ordered by image, then by query.

    Args:
        image (Tensor): (M,) long, index in the batch.
        query (Tensor): (L, M) long, index within the image's queries.
        target (Tensor): (L, M) long, index within the image's labelled pairs.
    """

    image: Tensor
    query: Tensor
    target: Tensor

    def of_queries(self, values: Tensor) -> Tensor:
        """Rows of the assigned queries: (L, B, N, ...) -> (L, M, ...)."""
        return values[self._layer, self.image, self.query]

    def put(self, values: Tensor, rows: Tensor) -> Tensor:
        """``values`` (L, B, N, ...) with the assigned queries' rows replaced by ``rows`` (L, M, ...); in place."""
        values[self._layer, self.image, self.query] = rows
        return values

    def total(self, values: Tensor) -> Tensor:
        """Sum over the assigned pairs: (..., M) -> (...)."""
        return values.sum(-1)

    @property
    def _layer(self) -> Tensor:
        return torch.arange(len(self.query), device=self.query.device)[:, None]

    def with_slots(self, counts: list[int]) -> "Assignment":
        """For other queries: the j-th of each image stands for its j-th pair, in every layer; the rest as here."""
        device, num_layers = self.query.device, len(self.query)
        # built on the host, where the counts are: no device has to be asked
        image = torch.from_numpy(np.repeat(np.arange(len(counts)), counts)).to(device, non_blocking=True)
        slots = np.concatenate([np.arange(count) for count in counts]).astype(np.int64)
        slot = torch.from_numpy(slots).to(device, non_blocking=True).expand(num_layers, -1)
        return replace(self, image=image, query=slot, target=slot)

    def of_targets(self, targets: PairTargets, name: str) -> Tensor:
        """The assigned pairs' values of a field of the targets: (L, M, ...)."""
        return targets.gather(name, self.image.expand_as(self.target), self.target)


@TASK_UTILS.register_module()
class PairMatcher:
    """Hungarian matching, separately for every decoder layer and image.

    Costs of all layers and images are computed on the device and moved to the host once.

    Args:
        costs (list[dict], optional): matching costs, summed. Default: QPIC's four.
    """

    DEFAULT_COSTS = (
        dict(type="ObjectClassCost"),
        dict(type="VerbCost"),
        dict(type="PairL1Cost"),
        dict(type="PairGIoUCost"),
    )

    def __init__(self, costs: list[dict] | None = None):
        self.costs = [TASK_UTILS.build(cost) for cost in (costs or self.DEFAULT_COSTS)]

    @torch.no_grad()
    def cost_matrix(self, preds: Predictions, targets: PairTargets) -> Tensor:
        """Summed costs, (L, B, N, P) float32; columns beyond an image's number of pairs are padding."""
        return sum(cost(preds, targets) for cost in self.costs)

    def __call__(self, preds: Predictions, targets: PairTargets) -> Assignment:
        """Match.

        Args:
            preds (dict[str, Tensor]): what the head's ``forward`` returns.
            targets (PairTargets): labelled pairs.

        Raises:
            FloatingPointError: a cost is not finite, here or in another process; names the image's file.
        """
        logits = preds["obj_logits"]
        if sum(targets.counts):
            costs = self.cost_matrix(preds, targets).cpu().numpy()  # the one host synchronisation
        else:
            costs = np.zeros((*logits.shape[:3], 0), np.float32)  # still to be solved: processes stop together
        per_image = [costs[:, i, :, :count] for i, count in enumerate(targets.counts)]
        return solve(per_image, targets.names, logits.device)


def solve(costs: list[np.ndarray], names: list[str], device: torch.device) -> Assignment:
    """Cheapest one-to-one assignment of each layer and image.

    Args:
        costs (list[ndarray]): (L, N, P) of each image; N queries, P pairs (its own number).
        names (list[str]): file of each image, for messages.
        device (torch.device): where the result goes.

    Raises:
        FloatingPointError: a cost is not finite, here or in another process; names the image's file.
    """
    damaged = [name for cost, name in zip(costs, names, strict=True) if not np.isfinite(cost).all()]
    _stop_together(damaged, device)
    solved = [
        np.concatenate([np.stack(linear_sum_assignment(cost[layer])) for cost in costs], axis=1)
        for layer in range(len(costs[0]))
    ]
    matched = np.array(solved)  # (L, 2, M)
    image = np.repeat(np.arange(len(costs)), [min(cost.shape[1:]) for cost in costs])
    matched, image = (torch.from_numpy(a).to(device, non_blocking=True) for a in (matched, image))
    return Assignment(image, matched[:, 0], matched[:, 1])


def _stop_together(damaged: list[str], device: torch.device) -> None:
    """Raise in all processes if one has damaged images; otherwise the rest would wait until the launcher gives up."""
    if get_world_size() > 1:
        found = torch.tensor(float(len(damaged)), device=device)
        all_reduce(found)
        # names travel only after a failure; objects are slow to send
        damaged = sum(all_gather_object(damaged), []) if found.item() else []
    if damaged:
        raise FloatingPointError(
            f"Matching costs of {', '.join(damaged)} are not finite: the model's outputs hold NaN or infinity. Lower "
            "the learning rate, use gradient clipping, or resume from the last checkpoint."
        )
