"""Query sets in which every pair has two queries, one for its subject and one for its object."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .attention import AttentionRecorder, AttentionRule, FusedAttention
from .memory import QuerySet


def split_pairs(queries: QuerySet) -> QuerySet:
    """Pairs to their subjects and objects, for a decoder that finds both.

    A pair's content and position have 2D channels, the subject's before the object's. So whoever makes or copies pairs
    (miners) handles one row per pair, and need not know that a detector splits it.

    Args:
        queries (QuerySet): N pairs, ``content`` and ``pos`` (B, N, 2D).

    Returns:
        QuerySet: (B, 2N, D), all subjects before all objects. A rule or recorder still sees N queries: a pair's two
        attention maps come to it as those of twice as many heads.
    """
    mask = queries.padding_mask
    return replace(
        queries,
        content=_rows(queries.content),
        pos=_rows(queries.pos),
        padding_mask=None if mask is None else torch.cat([mask, mask], 1),
        rule=None if queries.rule is None else PairRule(queries.rule),
        recorder=None if queries.recorder is None else PairRecorder(queries.recorder),
    )


def _rows(channels: Tensor) -> Tensor:
    """(B, N, 2D) -> (B, 2N, D)."""
    return torch.cat(channels.chunk(2, -1), 1)


def _by_head(queries: Tensor) -> Tensor:
    """Projected queries of subjects and objects (B, H, 2N, d) -> of pairs (B, 2H, N, d)."""
    return queries.unflatten(2, (2, -1)).flatten(1, 2) if queries.shape[2] else queries.repeat(1, 2, 1, 1)


@dataclass
class PairRule:
    """Lets a rule that thinks in pairs mask subject and object queries.

    Args:
        rule (AttentionRule): sees N queries with 2H heads.
    """

    rule: AttentionRule

    @property
    def renormalise(self) -> bool:
        """As of the rule."""
        return self.rule.renormalise

    def __call__(self, attention: FusedAttention, queries: Tensor, keys: Tensor, mask: Tensor | None) -> Tensor:
        """(B, H, 2N, S) bool, True = drop; arguments as in :class:`AttentionRule`."""
        drop = self.rule(attention, _by_head(queries), keys.repeat_interleave(2, 1), mask)
        batch, _, pairs, positions = drop.shape
        return drop.reshape(batch, keys.shape[1], 2 * pairs, positions)


@dataclass
class PairRecorder:
    """Lets a recorder keep the queries of pairs.

    Args:
        recorder (AttentionRecorder): sees N queries with 2H heads.
    """

    recorder: AttentionRecorder

    def __call__(self, attention: FusedAttention, queries: Tensor, keys: Tensor, mask: Tensor | None) -> None:
        """Arguments as in :class:`AttentionRule`."""
        self.recorder(attention, _by_head(queries), keys.repeat_interleave(2, 1), mask)
