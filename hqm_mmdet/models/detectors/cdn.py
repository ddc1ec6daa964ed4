"""CDN: one decoder finds pairs, a second one tells their verbs (Zhang et al., NeurIPS 2021)."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from hqm_mmdet.models.layers import Memory, QuerySet
from hqm_mmdet.registry import MODELS

from .hoi_detr import HOIDETR


@MODELS.register_module()
class CDN(HOIDETR):
    """Cascade of a human-object-pair decoder (``decoder``) and an interaction decoder (``interaction_decoder``).

    .. code:: text

        queries --> decoder -----------------> pair states --> boxes, object class
                       | last layer, normalised
                       v as positions, content zero
                    interaction_decoder -----> verb states --> verbs

    Both read the same memory. A query set keeps its padding and its attention rule on the whole way, so hard queries
    go through the cascade as the learnable ones do: an interaction query of a hard set comes from the hard set's pair.

    Args:
        decoder (dict): config of the pair decoder.
        interaction_decoder (dict, optional): what the interaction decoder's config has other than ``decoder``.
            Default: nothing.
        **kwargs: as in :class:`HOIDETR`.
    """

    DECODERS = ("decoder", "interaction_decoder")

    def __init__(self, *, decoder: dict, interaction_decoder: dict | None = None, **kwargs):
        super().__init__(decoder=decoder, **kwargs)
        self.interaction_decoder = MODELS.build({"type": "HOIDecoder", **decoder, **(interaction_decoder or {})})

    def init_weights(self) -> None:
        """As in mmdet's ``DETR``, for the second decoder too."""
        super().init_weights()
        for parameter in self.interaction_decoder.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def decode(self, queries: QuerySet, memory: Memory) -> tuple[Tensor, Tensor]:
        """Pair states and verb states, (L, B, N, D) each.

        If the decoders differ in depth, layers are paired from the last one backwards, and L is the smaller depth.
        """
        pair_states = self.decoder(queries, memory.projected["decoder"])
        # the cascade always hands on normalised states, whatever the head of this query set reads
        pos = pair_states[-1] if queries.post_norm else self.decoder.post_norm(pair_states[-1])
        cascaded = replace(queries, content=torch.zeros_like(pos), pos=pos)
        verb_states = self.interaction_decoder(cascaded, memory.projected["interaction_decoder"])
        depth = min(len(pair_states), len(verb_states))
        return pair_states[-depth:], verb_states[-depth:]
