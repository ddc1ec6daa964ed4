"""QPIC: one query set, one decoder, four heads on every query (Tamura et al., CVPR 2021)."""

from torch import Tensor

from hqm_mmdet.models.layers import Memory, QuerySet
from hqm_mmdet.registry import MODELS

from .hoi_detr import HOIDETR


@MODELS.register_module()
class QPIC(HOIDETR):
    """DETR whose queries stand for pairs. Decoder content starts at zero, the learnable part is the position."""

    def decode(self, queries: QuerySet, memory: Memory) -> Tensor:
        """States of every decoder layer, (L, B, N, D)."""
        return self.decoder(queries, memory.projected["decoder"])
