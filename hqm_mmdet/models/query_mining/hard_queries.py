"""What miners read (the learnable pass) and what they make (hard-positive queries)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hqm_mmdet.models.layers import Memory, QuerySet
from hqm_mmdet.models.task_modules import Assignment, PairTargets


class AttentionRecorder:
    """Keeps the projected queries of every cross-attention that a query set passes; drops nothing.

    A few rows of the attention maps can be recomputed from them after matching, so no map is ever stored.
    """

    renormalise = True

    def __init__(self):
        self.queries: dict[nn.Module, Tensor] = {}

    def __call__(self, attention: nn.Module, queries: Tensor, keys: Tensor, mask: Tensor | None) -> None:
        """Store (B, H, N, D/H), detached."""
        self.queries[attention] = queries.detach()


@dataclass
class LearnablePass:
    """The learnable queries after decoding and matching.

    Args:
        queries (QuerySet): what went into the decoder.
        memory (Memory): what they read.
        targets (PairTargets): labelled pairs.
        assigned (Assignment): their match, per decoder layer.
    """

    queries: QuerySet
    memory: Memory
    targets: PairTargets
    assigned: Assignment

    def matched_query(self) -> Tensor:
        """(B, P) long: the query that the last decoder layer matched to each pair; 0 where there is none."""
        labels = self.targets.obj_labels
        matched = labels.new_zeros(labels.shape)
        matched[self.assigned.image, self.assigned.target[-1]] = self.assigned.query[-1]
        return matched

    def unmatched_mask(self) -> Tensor:
        """(B, P) bool, True for padding and for pairs without a match (more pairs than queries)."""
        mask = self.targets.obj_labels.new_ones(self.targets.obj_labels.shape, dtype=torch.bool)
        mask[self.assigned.image, self.assigned.target[-1]] = False
        return mask


@dataclass
class HardQueries(QuerySet):
    """A mined query set.

    Args:
        assigned (Assignment): the pair that each query must find; there is no matching and no background.
        source (Tensor): (B, N) long, the learnable query that each one is measured against.
        loss_weight (float): factor on its losses.
        verb_weight (float): further factor on its verb losses.
        name (str): prefix of its losses.
    """

    assigned: Assignment | None = None
    source: Tensor | None = None
    loss_weight: float = 1.0
    verb_weight: float = 1.0
    name: str = ""

    def weight_of(self, loss_name: str) -> float:
        """Factor on one of its losses, as the head names them."""
        return self.loss_weight * (self.verb_weight if loss_name.endswith("loss_verb") else 1.0)
