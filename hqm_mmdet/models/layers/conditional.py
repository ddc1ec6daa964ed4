"""Conditional DETR's attention and decoder on fused attention, with an interaction point per query."""

from collections.abc import Sequence
from functools import partial

import torch
from mmdet.models.layers import MLP, ConditionalAttention, coordinate_to_encoding
from torch import Tensor

from hqm_mmdet.registry import MODELS

from .attention import AMMAttention, FusedAttention
from .decoder import HOIDecoder, HOIDecoderLayer
from .memory import ProjectedMemory, QuerySet


class ConditionalProjections:
    """The parameters of an attention, held by mmdet's ``ConditionalAttention`` and named ``attn.qcontent_proj.*`` etc.

    Its forward is not used: it materialises the weights, and projects the memory anew for every query set. Its dropout
    of the output is :class:`FusedAttention`'s, which has one rate for weights and output.
    """

    is_cross = False

    def _build_projections(self, dropout: float) -> ConditionalAttention:
        return ConditionalAttention(self.embed_dims, self.num_heads, attn_drop=dropout, cross_attn=self.is_cross)

    @property
    def weight_dropout(self) -> float:
        """Dropout of the attention weights in training."""
        return self.attn.attn_drop.p

    def self_projections(self, query: Tensor, query_pos: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values of self-attention."""
        return self.queries(query, query_pos), *self.keys_values(query, query_pos)

    @classmethod
    def all_keys_values(
        cls, attentions: Sequence[FusedAttention], source: Tensor, source_pos: Tensor
    ) -> list[tuple[Tensor, Tensor]]:
        """Keys and values of several attentions to the same ``source``."""
        return [each.keys_values(source, source_pos) for each in attentions]


class ConditionalSelfAttention(ConditionalProjections, FusedAttention):
    """Self-attention whose content and position have projections of their own, then are added.

    Arguments as in :class:`FusedAttention`.
    """

    def queries(self, query: Tensor, query_pos: Tensor) -> Tensor:
        """Projected queries, (B, N, D) -> (B, H, N, D/H)."""
        return self._split_heads(self.attn.qcontent_proj(query) + self.attn.qpos_proj(query_pos))

    def keys_values(self, source: Tensor, source_pos: Tensor) -> tuple[Tensor, Tensor]:
        """Projected keys and values, each (B, H, S, D/H), of ``source`` and ``source_pos`` (B, S, D)."""
        keys = self.attn.kcontent_proj(source) + self.attn.kpos_proj(source_pos)
        return self._split_heads(keys), self._split_heads(self.attn.v_proj(source))


class ConditionalCrossAttention(ConditionalProjections, AMMAttention):
    """Cross-attention whose logits are the sum of a content and a spatial product (Conditional DETR).

    Query and key are (content, position) side by side in every head, so one product gives both terms, and a rule sees
    and masks their sum. The first layer's content terms also have the position embeddings added, as in mmdet.
    Arguments as in :class:`FusedAttention`.
    """

    is_cross = True

    def drop_query_pos(self) -> None:
        """Make this the attention of a later layer: without projection of the query's position embedding."""
        self.attn.qpos_proj = None  # as mmdet does

    def queries(self, query: Tensor, query_pos: tuple[Tensor, Tensor]) -> Tensor:
        """Projected queries, (B, H, N, 2D/H).

        Args:
            query (Tensor): (B, N, D) content.
            query_pos (tuple[Tensor, Tensor]): position embedding and spatial query, (B, N, D) each.
        """
        pos, spatial = query_pos
        content = self.attn.qcontent_proj(query)
        if self.attn.qpos_proj is not None:
            content = content + self.attn.qpos_proj(pos)
        return self._side_by_side(content, self.attn.qpos_sine_proj(spatial))

    def keys_values(self, source: Tensor, source_pos: Tensor) -> tuple[Tensor, Tensor]:
        """Projected keys (B, H, S, 2D/H) and values (B, H, S, D/H) of memory tokens and positions (B, S, D)."""
        content, pos = self.attn.kcontent_proj(source), self.attn.kpos_proj(source_pos)
        if self.attn.qpos_proj is not None:
            content = content + pos
        return self._side_by_side(content, pos), self._split_heads(self.attn.v_proj(source))

    def _side_by_side(self, content: Tensor, position: Tensor) -> Tensor:
        return torch.cat([self._split_heads(content), self._split_heads(position)], -1)


class ConditionalHOIDecoderLayer(HOIDecoderLayer):
    """Decoder layer with Conditional DETR's attentions; the cross-attention takes (position, spatial query)."""

    self_attn_class, cross_attn_class = ConditionalSelfAttention, ConditionalCrossAttention


@MODELS.register_module()
class ConditionalHOIDecoder(HOIDecoder):
    """Conditional DETR's decoder; modules are named as in mmdet's ``ConditionalDetrTransformerDecoder``.

    Args:
        point_encoding (dict, optional): ``temperature`` and ``scale`` of the sine encoding of interaction points, as
            those of the memory's position encoding, so that a point and the memory there have the same encoding.
            Default: mmdet's.
        **kwargs: as in :class:`HOIDecoder`.
    """

    layer_class = ConditionalHOIDecoderLayer

    def __init__(self, *, point_encoding: dict | None = None, **kwargs):
        self.point_encoding = point_encoding or {}
        super().__init__(**kwargs)

    def _init_layers(self) -> None:
        super()._init_layers()
        # as in Conditional DETR, whose checkpoints have this projection in the first layer only
        for layer in self.layers[1:]:
            layer.cross_attn.drop_query_pos()
        self.ref_point_head = MLP(self.embed_dims, self.embed_dims, 2, 2)
        # unused by a single layer, where it would keep DistributedDataParallel waiting for its gradient
        self.query_scale = MLP(self.embed_dims, self.embed_dims, self.embed_dims, 2) if self.num_layers > 1 else None

    def interaction_points(self, query_pos: Tensor) -> Tensor:
        """Interaction point of each query, (B, N, D) -> (B, N, 2): logits of x, y in [0, 1] relative to the image.

        The same function for learnable and mined queries. Float32, under autocast too.
        """
        return self.ref_point_head(query_pos).float()

    def forward(self, queries: QuerySet, memory: ProjectedMemory, points: Tensor) -> Tensor:
        """Decoded states of every layer, (L, B, N, D).

        Args:
            queries (QuerySet): what is decoded.
            memory (ProjectedMemory): of :meth:`project`.
            points (Tensor): (B, N, 2), of :meth:`interaction_points`.
        """
        encoded = coordinate_to_encoding(points.sigmoid(), self.embed_dims // 2, **self.point_encoding)
        return super().forward(queries, memory, partial(self._cross_pos, queries.pos, encoded))

    def _cross_pos(self, pos: Tensor, encoded: Tensor, index: int, content: Tensor) -> tuple[Tensor, Tensor]:
        """Position and spatial query: the point's encoding, from the second layer on scaled by the content."""
        return pos, encoded if index == 0 else encoded * self.query_scale(content)
