"""Attention whose queries, keys and values have projections of their own, for tokens of any width."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from hqm_mmdet.models.layers import AMMAttention


class SplitAttention(AMMAttention):
    """Attention with separate projections and, if wanted, projections of positions.

    Args:
        embed_dims, num_heads, dropout: as in :class:`~hqm_mmdet.models.layers.FusedAttention`.
        memory_dims (int, optional): width of keys and values. Default: ``embed_dims``.
        query_pos_dims, key_pos_dims (int, optional): width of positions. Default None: there are none.
        side_by_side (bool): in every head content and position are joined, so that logits are the sum of two products;
            else they are added. Default: False.
    """

    def __init__(
        self,
        embed_dims: int,
        num_heads: int = 8,
        dropout: float = 0.1,
        memory_dims: int | None = None,
        query_pos_dims: int | None = None,
        key_pos_dims: int | None = None,
        side_by_side: bool = False,
    ):
        super().__init__(embed_dims, num_heads, dropout)
        memory_dims, self.side_by_side = memory_dims or embed_dims, side_by_side
        inputs = dict(
            query=embed_dims,
            key=memory_dims,
            value=memory_dims,
            query_pos=query_pos_dims,
            key_pos=key_pos_dims,
            out_proj=embed_dims,
        )
        self.attn.update({name: nn.Linear(width, embed_dims) for name, width in inputs.items() if width is not None})

    def _build_projections(self, dropout: float) -> nn.ModuleDict:
        return nn.ModuleDict()

    @property
    def weight_dropout(self) -> float:
        """Dropout of the attention weights in training."""
        return self.dropout.p

    def queries(self, query: Tensor, query_pos: Tensor | None = None) -> Tensor:
        """Projected queries (B, H, N, D/H), or 2D/H ``side_by_side``."""
        return self._with_position(self.attn["query"](query), "query_pos", query_pos)

    def keys_values(self, source: Tensor, source_pos: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Projected keys, as :meth:`queries`, and values (B, H, S, D/H)."""
        keys = self._with_position(self.attn["key"](source), "key_pos", source_pos)
        return keys, self._split_heads(self.attn["value"](source))

    def _with_position(self, content: Tensor, name: str, pos: Tensor | None) -> Tensor:
        if name not in self.attn:
            return self._split_heads(content)
        pos = self.attn[name](pos)
        if self.side_by_side:
            return torch.cat([self._split_heads(content), self._split_heads(pos)], -1)
        return self._split_heads(content + pos)


class FeedForward(nn.Module):
    """Two layers, added to the input and normalised.

    Args:
        embed_dims, hidden_dims (int): widths.
        activation (nn.Module): between the layers.
        dropout (float): of the output. Default: 0.1.
        hidden_dropout (float): between the layers. Default: 0.0.
        eps (float): of the norm. Default: 1e-5.
    """

    def __init__(
        self,
        embed_dims: int,
        hidden_dims: int,
        activation: nn.Module,
        dropout: float = 0.1,
        hidden_dropout: float = 0.0,
        eps: float = 1e-5,
    ):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(embed_dims, hidden_dims), nn.Linear(hidden_dims, embed_dims)
        self.activation, self.norm = activation, nn.LayerNorm(embed_dims, eps=eps)
        self.dropout, self.hidden_dropout = nn.Dropout(dropout), nn.Dropout(hidden_dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(..., D) -> (..., D)."""
        return self.norm(x + self.dropout(self.fc2(self.hidden_dropout(self.activation(self.fc1(x))))))


def spatial_layers(channels: tuple[int, ...]) -> nn.Sequential:
    """Linear layers with a ReLU after each."""
    layers = []
    for first, second in pairwise(channels):
        layers += [nn.Linear(first, second), nn.ReLU()]
    return nn.Sequential(*layers)
