"""DETR's decoder on projected keys and values, for any number of query sets."""

from collections.abc import Callable

import torch
from mmcv.cnn import build_norm_layer
from mmdet.models.layers import DetrTransformerDecoder, DetrTransformerDecoderLayer
from mmengine.model import ModuleList
from torch import Tensor

from hqm_mmdet.registry import MODELS

from .attention import AMMAttention, AttentionRecorder, AttentionRule, FusedAttention, attend_mask
from .encoder import attention_args, build_ffn
from .memory import Memory, ProjectedMemory, QuerySet, self_attend_mask

CrossPosition = Tensor | tuple[Tensor, ...]


class HOIDecoderLayer(DetrTransformerDecoderLayer):
    """mmdet's post-norm decoder layer around :class:`FusedAttention`; arguments as there.

    The cross-attention takes keys and values that are already projected, because several query sets read the same ones.
    """

    self_attn_class, cross_attn_class = FusedAttention, AMMAttention

    def _init_layers(self) -> None:
        self.self_attn = self.self_attn_class(**attention_args(self.self_attn_cfg))
        self.cross_attn = self.cross_attn_class(**attention_args(self.cross_attn_cfg))
        self.embed_dims = self.self_attn.embed_dims
        self.ffn = build_ffn(self.ffn_cfg)
        self.norms = ModuleList([build_norm_layer(self.norm_cfg, self.embed_dims)[1] for _ in range(3)])

    def forward(
        self,
        query: Tensor,
        query_pos: Tensor,
        keys_values: tuple[Tensor, Tensor],
        self_mask: Tensor | None = None,
        cross_mask: Tensor | None = None,
        rule: AttentionRule | None = None,
        recorder: AttentionRecorder | None = None,
        cross_pos: CrossPosition | None = None,
    ) -> Tensor:
        """One layer.

        Args:
            query, query_pos (Tensor): (B, N, D).
            keys_values (tuple[Tensor, Tensor]): projected memory, (B, H, S, D/H) each.
            self_mask (Tensor, optional): of :func:`self_attend_mask`. Default None.
            cross_mask (Tensor, optional): broadcastable to (B, H, N, S), True = may attend. Default None.
            rule, recorder (optional): of the query set, see :class:`AMMAttention`. Default None.
            cross_pos (Tensor | tuple, optional): query position of the cross-attention, in the form that its
                ``queries`` takes. Default: ``query_pos``.

        Returns:
            Tensor: (B, N, D), not yet through the decoder's shared norm.
        """
        cross_pos = query_pos if cross_pos is None else cross_pos
        query = self._attend_to_itself(query, query_pos, self_mask)
        query = self.norms[1](self.cross_attn(query, keys_values, cross_pos, cross_mask, rule, recorder))
        return self.norms[2](self.ffn(query))

    def _attend_to_itself(self, query: Tensor, query_pos: Tensor, mask: Tensor | None) -> Tensor:
        """Self-attention and its norm; once for all images where these are the same, as in the first layer."""
        size = len(query)
        # stride 0: expanded from one image, as learnable_query_set does
        if mask is None and query.stride(0) == query_pos.stride(0) == 0 and not self.self_attn.drops:
            query, query_pos = query[:1], query_pos[:1]
        return self.norms[0](self.self_attn(query, query_pos=query_pos, mask=mask)).expand(size, -1, -1)


@MODELS.register_module()
class HOIDecoder(DetrTransformerDecoder):
    """Stack of :class:`HOIDecoderLayer`; one shared norm on the output of every layer.

    Args:
        num_layers (int): L.
        layer_cfg (dict): arguments of each layer.
        post_norm_cfg (dict): the shared norm.
    """

    layer_class = HOIDecoderLayer

    def _init_layers(self) -> None:
        self.layers = ModuleList([self.layer_class(**self.layer_cfg) for _ in range(self.num_layers)])
        self.embed_dims = self.layers[0].embed_dims
        self.post_norm = build_norm_layer(self.post_norm_cfg, self.embed_dims)[1]

    def project(self, memory: Memory) -> ProjectedMemory:
        """The memory as this decoder's cross-attentions read it."""
        attentions = [layer.cross_attn for layer in self.layers]
        keys_values = attentions[0].all_keys_values(attentions, memory.tokens, memory.pos)
        return ProjectedMemory(keys_values, attend_mask(memory.padding_mask))

    def forward(
        self,
        queries: QuerySet,
        memory: ProjectedMemory,
        cross_pos: Callable[[int, Tensor], CrossPosition] | None = None,
    ) -> Tensor:
        """Decoded states of every layer, (L, B, N, D).

        Args:
            queries (QuerySet): what is decoded; ``pos`` may differ by layer, (L, B, N, D).
            memory (ProjectedMemory): of :meth:`project`.
            cross_pos (callable, optional): takes a layer's index and input (B, N, D), returns the query position of its
                cross-attention. Default: ``queries.pos``.
        """
        content, states = queries.content, []
        self_mask = self_attend_mask(queries)
        positions = queries.pos.unbind() if queries.pos.dim() == 4 else [queries.pos] * len(self.layers)
        for i, (layer, keys_values) in enumerate(zip(self.layers, memory.keys_values, strict=True)):
            pos = positions[i] if cross_pos is None else cross_pos(i, content)
            masks = (self_mask, memory.mask, queries.rule, queries.recorder)
            content = layer(content, positions[i], keys_values, *masks, pos)
            states.append(content)
        states = torch.stack(states)  # heads are shared by all layers, so they read them as one tensor
        # the norm is for the heads; the next layer got the plain content, as in DETR
        return self.post_norm(states) if queries.post_norm else states
