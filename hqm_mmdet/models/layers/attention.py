"""Multi-head attention with mmdet's parameter names and PyTorch's fused kernels."""

from collections.abc import Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from hqm_mmdet.registry import MODELS

from .dropout import Dropout, draws_itself, dropout


@MODELS.register_module()
class FusedAttention(BaseModule):
    """Multi-head attention, residual connection included.

    Parameters are named ``attn.in_proj_weight``, ``attn.out_proj.*`` as in mmcv's ``MultiheadAttention``, so
    checkpoints of mmdet's DETR load as they are. mmcv's wrapper always asks for the attention weights and thereby never
    takes the fused path; this one computes them only in :meth:`weights`.

    Args:
        embed_dims (int): D. Default 256.
        num_heads (int): H. Default 8.
        dropout (float): of the attention weights and of the output, before it is added to the input. Default 0.0.
        init_cfg (dict, optional): as in mmengine. Default None.
    """

    def __init__(self, embed_dims: int = 256, num_heads: int = 8, dropout: float = 0.0, init_cfg: dict | None = None):
        super().__init__(init_cfg)
        self.embed_dims = embed_dims
        self.num_heads = num_heads
        self.attn = self._build_projections(dropout)
        self.dropout = Dropout(dropout)

    def _build_projections(self, dropout: float) -> nn.Module:
        """Module that holds the parameters, ``out_proj`` among them. Its own forward is not used."""
        return nn.MultiheadAttention(self.embed_dims, self.num_heads, dropout, batch_first=True)

    @property
    def weight_dropout(self) -> float:
        """Dropout of the attention weights in training."""
        return self.attn.dropout

    @property
    def drops(self) -> bool:
        """Whether dropout acts now, anew for every image."""
        return self.training and (self.weight_dropout > 0 or self.dropout.p > 0)

    def forward(
        self,
        query: Tensor,
        keys_values: tuple[Tensor, Tensor] | None = None,
        query_pos: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        """Attend and add to the input.

        Args:
            query (Tensor): (B, N, D).
            keys_values (tuple[Tensor, Tensor], optional): projected keys and values (B, H, S, D/H), see
                :meth:`keys_values`. Default: the queries themselves, with ``query_pos`` (self-attention).
            query_pos (Tensor, optional): (B, N, D), added to queries (and to keys in self-attention), not to values.
                Default None.
            mask (Tensor, optional): broadcastable to (B, H, N, S), bool, True = may attend, or float, added to the
                logits. A row that may attend nowhere gives NaN. Default None, all.

        Returns:
            Tensor: (B, N, D).
        """
        if keys_values is None:
            return self._add(query, self._attend(*self.self_projections(query, query_pos), mask))
        return self._add(query, self._attend(self.queries(query, query_pos), *keys_values, mask))

    def self_projections(self, query: Tensor, query_pos: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of self-attention, (B, H, N, D/H) each."""
        source = query if query_pos is None else query + query_pos
        # queries and keys read the same, so one product makes both; split has one gradient, slices have one each
        sizes = (2 * self.embed_dims, self.embed_dims)
        weights, biases = self.attn.in_proj_weight.split(sizes), self.attn.in_proj_bias.split(sizes)
        both = F.linear(source, weights[0], biases[0]).unflatten(-1, (2, self.num_heads, -1))
        queries, keys = (part.transpose(1, 2) for part in both.unbind(2))
        return queries, keys, self._split_heads(F.linear(query, weights[1], biases[1]))

    def queries(self, query: Tensor, query_pos: Tensor | None = None) -> Tensor:
        """Projected queries, (B, N, D) -> (B, H, N, D/H)."""
        return self._project(query if query_pos is None else query + query_pos, 0)

    def keys_values(self, source: Tensor, source_pos: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Projected keys (position added) and values (not added), each (B, H, S, D/H), of ``source`` (B, S, D)."""
        key = source if source_pos is None else source + source_pos
        return self._project(key, 1), self._project(source, 2)

    @classmethod
    def all_keys_values(
        cls, attentions: Sequence["FusedAttention"], source: Tensor, source_pos: Tensor | None = None
    ) -> list[tuple[Tensor, Tensor]]:
        """:meth:`keys_values` of several attentions of one width to the same ``source``, in two products."""
        dims, heads = attentions[0].embed_dims, attentions[0].num_heads
        weight = torch.cat([each.attn.in_proj_weight[dims:] for each in attentions]).unflatten(0, (-1, 2, dims))
        bias = torch.cat([each.attn.in_proj_bias[dims:] for each in attentions]).unflatten(0, (-1, 2, dims))
        sources = source if source_pos is None else source + source_pos, source
        projected = [
            F.linear(x, w.flatten(0, 1), b.flatten())  # (B, S, L * D)
            .unflatten(-1, (len(attentions), heads, -1))
            .permute(2, 0, 3, 1, 4)
            .unbind()
            for x, w, b in zip(sources, weight.unbind(1), bias.unbind(1), strict=True)
        ]
        return list(zip(*projected, strict=True))

    def weights(self, queries: Tensor, keys: Tensor, mask: Tensor | None = None) -> Tensor:
        """Attention weights without dropout, (B, H, N, S), of projected queries and keys."""
        return self.logits(queries, keys, mask).softmax(-1)

    @staticmethod
    def logits(queries: Tensor, keys: Tensor, mask: Tensor | None = None) -> Tensor:
        """Scaled products before the softmax, (B, H, N, S) float32; minus infinity where ``mask`` is False, or plus
        ``mask`` if that is float."""
        # autocast would multiply in half precision: in fp16 the unscaled product can overflow to infinity, and in both
        # half types neighbouring positions become equal, which leaves their ranks to chance
        with torch.autocast(queries.device.type, enabled=False):
            logits = queries.float() @ keys.float().transpose(-2, -1) / queries.shape[-1] ** 0.5
        if mask is None:
            return logits
        return logits + mask if mask.is_floating_point() else logits.masked_fill(~mask, float("-inf"))

    def _attend(self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
        """Fused attention, (B, H, N, D/H)."""
        # the kernel knows no mode: dropout_p acts in evaluation too
        p = self.weight_dropout if self.training else 0.0
        if draws_itself(queries.device, p):  # CPUs have no kernel with dropout
            return dropout(self.weights(queries, keys, mask), p, True) @ values
        return F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, dropout_p=p)

    def _add(self, query: Tensor, attended: Tensor) -> Tensor:
        """Join the heads, project, and add to the input."""
        return query + self.dropout(self.attn.out_proj(attended.transpose(1, 2).flatten(2)))

    def _project(self, x: Tensor, part: int) -> Tensor:
        rows = slice(part * self.embed_dims, (part + 1) * self.embed_dims)  # in_proj stacks query, key, value
        return self._split_heads(F.linear(x, self.attn.in_proj_weight[rows], self.attn.in_proj_bias[rows]))

    def _split_heads(self, projected: Tensor) -> Tensor:
        """(B, N, D) -> (B, H, N, D/H)."""
        return projected.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)


class AttentionRule(Protocol):
    """Which positions a query set may not look at, asked by each cross-attention that it passes.

    ``renormalise`` tells whether the rest of a row's weights grow to sum 1.
    """

    renormalise: bool

    def __call__(self, attention: FusedAttention, queries: Tensor, keys: Tensor, mask: Tensor | None) -> Tensor:
        """Called with the layer, projected queries (B, H, N, D/H) and keys (B, H, S, D/H), and the mask (True = may
        attend) or None. Returns (B, H, N, S) bool, True = drop; with ``renormalise`` it may be float, added to the
        logits: minus infinity where a position is dropped or padding, else 0."""
        ...


class AttentionRecorder:
    """Keeps the projected queries of every cross-attention that a query set passes, and what they met there.

    A few rows of the attention maps can be recomputed from them after matching, so no map is ever stored.
    """

    def __init__(self):
        self.queries: dict[nn.Module, Tensor] = {}
        # keys and mask; several where a layer reads several memories with the same queries
        self.memories: dict[nn.Module, list[tuple[Tensor, Tensor | None]]] = {}

    def __call__(self, attention: FusedAttention, queries: Tensor, keys: Tensor, mask: Tensor | None) -> None:
        """Store (B, H, N, D/H), detached. Arguments as in :class:`AttentionRule`."""
        # without detach, ranking would keep the graph of the learnable pass alive
        self.queries[attention] = queries.detach()
        self.memories.setdefault(attention, []).append((keys.detach(), mask))


@MODELS.register_module()
class AMMAttention(FusedAttention):
    """Cross-attention that can be watched, and in which a query set's rule may drop positions (HQM's masking).

    Without both it is :class:`FusedAttention`, as always in inference. Arguments as there.
    """

    def forward(
        self,
        query: Tensor,
        keys_values: tuple[Tensor, Tensor],
        query_pos: Tensor | None = None,
        mask: Tensor | None = None,
        rule: AttentionRule | None = None,
        recorder: AttentionRecorder | None = None,
    ) -> Tensor:
        """As in :class:`FusedAttention`.

        Args:
            query, keys_values, query_pos, mask: as there.
            rule (AttentionRule, optional): positions it drops get no attention. With ``rule.renormalise`` the other
                weights of the row grow to sum 1 (mask before the softmax, the released code); otherwise they stay as
                they are (mask after the softmax, Algorithm 1 of the paper). Default None.
            recorder (AttentionRecorder, optional): sees the layer, the projected queries and keys, and the mask.
                Default None.
        """
        queries, (keys, values) = self.queries(query, query_pos), keys_values
        if recorder is not None:
            recorder(self, queries, keys, mask)
        if rule is None:
            return self._add(query, self._attend(queries, keys, values, mask))
        dropped = rule(self, queries, keys, mask)
        if dropped.is_floating_point():
            return self._add(query, self._attend(queries, keys, values, dropped))
        keep = ~dropped
        if rule.renormalise:
            keep = keep if mask is None else mask & keep
            return self._add(query, self._attend(queries, keys, values, keep))
        # fused kernels know masks before the softmax only, so here the weights are materialised
        weights = dropout(self.weights(queries, keys, mask) * keep, self.weight_dropout, self.training)
        return self._add(query, weights.to(values.dtype) @ values)


def attend_mask(padding_mask: Tensor | None) -> Tensor | None:
    """(B, S) bool, True = padding  ->  (B, 1, 1, S) bool, True = may attend."""
    return None if padding_mask is None else ~padding_mask[:, None, None]
