"""UPT: unary and pairwise tokens of a detector's instances."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hqm_mmdet.models.layers import Memory, QuerySet
from hqm_mmdet.models.layers.memory import visible_queries
from hqm_mmdet.models.two_stage import Scene
from hqm_mmdet.registry import MODELS

from .attention import spatial_layers
from .candidates import Candidates
from .head import CandidateHead
from .spatial import pairwise_numbers
from .upt_layers import CompetitiveLayer, CooperativeLayer, MultiBranchFusion


@MODELS.register_module()
class UPTHead(CandidateHead):
    """Instances cooperate, pairs of them compete (UPT, CVPR 2022).

    Modules are those of the official code. The image's part is the mean of its coarsest map: of the image alone, or of
    the padded batch where the provider has ``padded_batches``.

    Args:
        pair_dims (int): R, of pairs of boxes; a pair token has 2 R numbers. Default: 512.
        num_layers (int): cooperative layers. Default: 2.
        num_heads (int): of all attentions. Default: 8.
        hidden_dims (int): of the cooperative layers' feed-forward parts; the competitive layer has 4 R. Default: 1024.
        num_branches (int): of the fusions. Default: 16.
        dropout (float): Default: 0.1.
        map_channels (int): of the coarsest map. Default: 2048.
        in_channels (int): of an instance's features. Default: 256.
        **kwargs: as in :class:`CandidateHead`.
    """

    def __init__(
        self,
        *,
        pair_dims: int = 512,
        num_layers: int = 2,
        num_heads: int = 8,
        hidden_dims: int = 1024,
        num_branches: int = 16,
        dropout: float = 0.1,
        map_channels: int = 2048,
        in_channels: int = 256,
        **kwargs,
    ):
        super().__init__(in_channels=in_channels, map_channels=map_channels, **kwargs)
        self.spatial_head = spatial_layers((36, pair_dims // 4, pair_dims // 2, pair_dims))
        self.coop_layers = nn.ModuleList(
            CooperativeLayer(self.embed_dims, pair_dims, num_heads, hidden_dims, dropout) for _ in range(num_layers)
        )
        self.fusion = MultiBranchFusion(2 * self.embed_dims, pair_dims, pair_dims, num_branches)
        self.map_fusion = MultiBranchFusion(map_channels, pair_dims, pair_dims, num_branches)
        self.comp_layer = CompetitiveLayer(2 * pair_dims, 4 * pair_dims, num_heads, dropout)
        self.verb_cls = nn.Linear(2 * pair_dims, len(self.verb_order))

    def read_maps(self, scenes: Sequence[Scene]) -> Memory:
        """One token per image, (B, 1, C): the mean of its coarsest map."""
        tokens = torch.stack([scene.maps[-1].mean((1, 2)) for scene in scenes])[:, None]
        return Memory(tokens, torch.zeros_like(tokens), None, (1, 1))

    def encode(self, candidates: Candidates, memory: Memory) -> QuerySet:
        """Pair tokens (B, M, 2R) as content."""
        pairs = self.spatial_head(pairwise_numbers(candidates.boxes, candidates.sizes))
        x = self.input_proj(candidates.features)
        for layer in self.coop_layers:
            x = layer(x, pairs, candidates.absent)
        instances = torch.cat([candidates.of_pairs("sub", x), candidates.of_pairs("obj", x)], -1)
        spatial = candidates.of_both(pairs)
        whole = memory.tokens.to(x.dtype).expand(-1, spatial.shape[1], -1)
        tokens = torch.cat([self.fusion(instances, spatial), self.map_fusion(whole, spatial)], -1)
        return QuerySet(tokens, torch.zeros_like(tokens), candidates.padding_mask)

    def decode(self, queries: QuerySet, memory: Memory, context: QuerySet | None = None) -> Tensor:
        """(1, B, M, 2R); masked copies look at the tokens of the learnable pass, any others at each other."""
        if context is None:
            source, mask = queries.content, visible_queries(queries)
        else:
            source, mask = context.content, ~_hidden(context.padding_mask)[:, None, None]
        return self.comp_layer(queries.content, source, mask, queries.rule, queries.recorder)[None]

    def classify(self, states: Tensor) -> dict[str, Tensor]:
        """See :class:`CandidateHead`."""
        return dict(verb_logits=self.verb_cls(states).float())


def _hidden(padding_mask: Tensor) -> Tensor:
    """Padding, but never all of an image: an image without pairs has masked copies too, which nobody reads."""
    return padding_mask & ~padding_mask.all(1, keepdim=True)
