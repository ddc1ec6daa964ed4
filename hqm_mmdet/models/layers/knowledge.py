"""HOICLIP's interaction decoder: queries that read CLIP's tokens and the detector's memory at once."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hqm_mmdet.registry import MODELS

from .attention import AttentionRecorder, AttentionRule, attend_mask
from .decoder import HOIDecoder, HOIDecoderLayer
from .memory import Memory, ProjectedMemory, QuerySet, self_attend_mask


@dataclass
class CLIPMemory(Memory):
    """Image tokens of the detector and of CLIP.

    Args:
        clip_tokens (Tensor, optional): (B, 1 + P, c), the class token first.
        image_embeds (Tensor, optional): (B, e) embeddings of the whole images, not normalised.
    """

    clip_tokens: Tensor | None = None
    image_embeds: Tensor | None = None


class KnowledgeIntegrationLayer(HOIDecoderLayer):
    """Decoder layer with one cross-attention for two memories; arguments as in :class:`HOIDecoderLayer`.

    Source: HOICLIP (Ning et al., CVPR 2023), section 3.2. The two results share attention weights and norm and are
    summed, neither averaged nor normed again. No positions are added anywhere.
    """

    def forward(
        self,
        query: Tensor,
        keys_values: list[tuple[Tensor, Tensor]],
        self_mask: Tensor | None = None,
        cross_masks: tuple[Tensor | None, ...] = (None, None),
        rule: AttentionRule | None = None,
        recorder: AttentionRecorder | None = None,
    ) -> Tensor:
        """One layer, (B, N, c) -> (B, N, c).

        Args:
            query (Tensor): (B, N, c).
            keys_values (list[tuple[Tensor, Tensor]]): of each memory, (B, H, S, c/H) each.
            self_mask, cross_masks (optional): True = may attend; of the queries, and of each memory.
            rule, recorder (optional): of the query set. The rule masks each memory by itself. The projected queries are
                the same for both, so the recorder needs only one of them.
        """
        query = self.norms[0](self.self_attn(query, mask=self_mask))
        read = [
            self.norms[1](self.cross_attn(query, pair, None, mask, rule, recorder))
            for pair, mask in zip(keys_values, cross_masks, strict=True)
        ]
        return self.norms[2](self.ffn(sum(read)))


@MODELS.register_module()
class KnowledgeIntegrationDecoder(HOIDecoder):
    """Stack of :class:`KnowledgeIntegrationLayer` in CLIP's width; takes queries and memory in the detector's width.

    Args:
        in_dims (int): D, width of the detector. Default 256.
        mask_padding (bool): leave padded positions of the detector's memory out. The official code lets them take part,
            so that its predictions depend on what an image is batched with: False. Default True.
        **kwargs: as in :class:`HOIDecoder`; ``layer_cfg`` is of width c, that of CLIP's image tower.
    """

    layer_class = KnowledgeIntegrationLayer

    def __init__(self, *args, in_dims: int = 256, mask_padding: bool = True, **kwargs):
        self.in_dims = in_dims
        self.mask_padding = mask_padding
        super().__init__(*args, **kwargs)

    def _init_layers(self) -> None:
        super()._init_layers()
        self.query_proj = nn.Sequential(nn.Linear(self.in_dims, self.embed_dims), nn.LayerNorm(self.embed_dims))
        self.memory_proj = nn.Sequential(nn.Linear(self.in_dims, self.embed_dims), nn.LayerNorm(self.embed_dims))

    def project(self, memory: CLIPMemory) -> tuple[ProjectedMemory, ProjectedMemory]:
        """CLIP's tokens and the detector's memory as the cross-attentions read them."""
        mask = attend_mask(memory.padding_mask) if self.mask_padding else None
        return (
            ProjectedMemory(self._keys_values(memory.clip_tokens), None),
            ProjectedMemory(self._keys_values(self.memory_proj(memory.tokens)), mask),
        )

    def _keys_values(self, tokens: Tensor) -> list[tuple[Tensor, Tensor]]:
        attentions = [layer.cross_attn for layer in self.layers]
        return attentions[0].all_keys_values(attentions, tokens)

    def forward(self, queries: QuerySet, memories: tuple[ProjectedMemory, ProjectedMemory]) -> Tensor:
        """Decoded states of every layer, (L, B, N, c).

        Args:
            queries (QuerySet): ``content`` (B, N, D); positions are not used.
            memories (tuple[ProjectedMemory, ProjectedMemory]): of :meth:`project`.
        """
        content, states = self.query_proj(queries.content), []
        self_mask = self_attend_mask(queries)
        masks = tuple(memory.mask for memory in memories)
        for layer, *keys_values in zip(self.layers, *(memory.keys_values for memory in memories), strict=True):
            content = layer(content, keys_values, self_mask, masks, queries.rule, queries.recorder)
            states.append(content)
        states = torch.stack(states)
        return self.post_norm(states) if queries.post_norm else states
