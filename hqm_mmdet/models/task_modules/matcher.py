"""Bipartite matching of predicted and labelled pairs, for all decoder layers and images in one go."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from hqm_mmdet.registry import TASK_UTILS

from .costs import Predictions
from .targets import PairTargets


@dataclass
class Assignment:
    """Which query stands for which labelled pair.

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

    @property
    def _layer(self) -> Tensor:
        return torch.arange(len(self.query), device=self.query.device)[:, None]

    @classmethod
    def of_slots(cls, counts: list[int], num_layers: int, device: torch.device) -> "Assignment":
        """The j-th query of each image stands for its j-th pair, in every layer."""
        image = torch.from_numpy(np.repeat(np.arange(len(counts)), counts)).to(device, non_blocking=True)
        slots = np.concatenate([np.arange(count) for count in counts]).astype(np.int64)
        slot = torch.from_numpy(slots).to(device, non_blocking=True).expand(num_layers, -1)
        return cls(image, slot, slot)

    def of_targets(self, targets: PairTargets, name: str) -> Tensor:
        """The assigned pairs' values of a field of the targets: (L, M, ...)."""
        return targets.gather(name, self.image.expand_as(self.target), self.target)


@TASK_UTILS.register_module()
class PairMatcher:
    """Hungarian matching, separately for every decoder layer and image.

    Costs of all layers and images are computed on the device and moved to the host once.

    Args:
        costs (list[dict]): matching costs, summed. Default: QPIC's four.
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
            preds (dict[str, Tensor]): what :meth:`HOIHead.forward` returns.
            targets (PairTargets): labelled pairs.

        Raises:
            FloatingPointError: a cost is not finite; names the image's file.
        """
        num_layers, device = len(preds["obj_logits"]), preds["obj_logits"].device
        if not sum(targets.counts):
            empty = torch.zeros(num_layers, 0, dtype=torch.long, device=device)
            return Assignment(empty[0], empty, empty)
        costs = self.cost_matrix(preds, targets).cpu().numpy()  # the one host synchronisation
        per_image = [costs[:, i, :, :count] for i, count in enumerate(targets.counts)]
        return solve(per_image, targets.names, device)


def solve(costs: list[np.ndarray], names: list[str], device: torch.device) -> Assignment:
    """Cheapest one-to-one assignment of each layer and image.

    Args:
        costs (list[ndarray]): (L, N, P) of each image; N queries, P pairs (its own number).
        names (list[str]): file of each image, for messages.
        device (torch.device): where the result goes.

    Raises:
        FloatingPointError: a cost is not finite; names the image's file.
    """
    solved = [
        np.concatenate([_solve(cost[layer], name) for cost, name in zip(costs, names, strict=True)], axis=1)
        for layer in range(len(costs[0]))
    ]
    matched = np.array(solved)  # (L, 2, M)
    image = np.repeat(np.arange(len(costs)), [min(cost.shape[1:]) for cost in costs])
    matched, image = (torch.from_numpy(a).to(device, non_blocking=True) for a in (matched, image))
    return Assignment(image, matched[:, 0], matched[:, 1])


def _solve(cost: np.ndarray, name: str) -> np.ndarray:
    """(N, P) -> (2, min(N, P)) query and target indices."""
    if not np.isfinite(cost).all():
        raise FloatingPointError(
            f"Matching costs of {name} are not finite: the model's outputs hold NaN or infinity. Lower the "
            "learning rate, use gradient clipping, or resume from the last checkpoint."
        )
    return np.stack(linear_sum_assignment(cost))
