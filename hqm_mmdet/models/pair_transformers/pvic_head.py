"""PViC: pair queries that look at the image again."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from mmdet.models.layers import SinePositionalEncoding
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from hqm_mmdet.models.layers import Memory, QuerySet
from hqm_mmdet.models.layers.attention import attend_mask
from hqm_mmdet.models.two_stage import Scene, of_equal_size
from hqm_mmdet.registry import MODELS

from .attention import spatial_layers
from .candidates import Candidates
from .head import CandidateHead
from .pvic_layers import InstanceLayer, MapHead, PairDecoder, PairFusion
from .spatial import centres_and_sides, pairwise_numbers, sine_code


@MODELS.register_module()
class PViCHead(CandidateHead):
    """Pairs as queries with box positions, decoded with the image as memory (PViC, ICCV 2023).

    Modules are those of the official code. Where the provider has ``padded_batches``, windows and convolutions see
    padding as officially; else every image is seen alone.

    Args:
        query_dims (int): E, of pair queries. Default: 384.
        num_layers (int): decoder layers. Default: 2.
        num_encoder_layers (int): layers among instances. Default: 2.
        num_blocks (int): Swin blocks on the map. Default: 1.
        num_heads (int): of all attentions. Default: 8.
        window (int): side of a Swin window, positions. Default: 8.
        dropout (float): Default: 0.1.
        drop_path (bool): stochastic depth of the Swin blocks in training. Default: True.
        map_channels (int | Sequence[int]): of the maps, the coarsest last; as many maps as the provider's
            ``map_levels``. Default: 2048.
        in_channels (int): of an instance's features. Default: 256.
        **kwargs: as in :class:`CandidateHead`.
    """

    TEMPERATURE = 20.0

    def __init__(
        self,
        *,
        query_dims: int = 384,
        num_layers: int = 2,
        num_encoder_layers: int = 2,
        num_blocks: int = 1,
        num_heads: int = 8,
        window: int = 8,
        dropout: float = 0.1,
        drop_path: bool = True,
        map_channels: int | Sequence[int] = 2048,
        in_channels: int = 256,
        **kwargs,
    ):
        channels = [map_channels] if isinstance(map_channels, int) else list(map_channels)
        super().__init__(in_channels=in_channels, map_channels=channels[-1], **kwargs)
        width = self.embed_dims
        self.map_head = MapHead(channels, width, num_blocks, num_heads, window, drop_path)
        self.map_pos = SinePositionalEncoding(width // 2, self.TEMPERATURE, normalize=True)
        self.ref_anchor_head = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2))
        self.spatial_head = spatial_layers((36, query_dims // 3, query_dims * 2 // 3, query_dims))
        self.encoder = nn.ModuleList(
            InstanceLayer(width, 2 * width, num_heads, dropout) for _ in range(num_encoder_layers)
        )
        self.pair_fusion = PairFusion(width, query_dims)
        codes = dict(centre_dims=2 * width, box_dims=4 * width, memory_dims=width)
        self.decoder = PairDecoder(num_layers, query_dims, num_heads=num_heads, dropout=dropout, **codes)
        self.verb_cls = nn.Linear(query_dims, len(self.verb_order))

    def read_maps(self, scenes: Sequence[Scene]) -> Memory:
        """Image tokens, padded to the largest map and projected once for the decoder."""
        tokens: list[Tensor | None] = [None] * len(scenes)
        positions: list[Tensor | None] = [None] * len(scenes)
        for rows in of_equal_size([scene.maps[0].shape[-2:] for scene in scenes]):
            levels = zip(*(scenes[row].maps for row in rows), strict=True)
            maps = self.map_head([torch.stack(level) for level in levels])  # (b, h, w, D)
            padding = torch.stack([scenes[row].padding[0] for row in rows])
            codes = self.map_pos(padding).to(maps)
            for i, row in enumerate(rows):
                tokens[row], positions[row] = maps[i].flatten(0, 1), codes[i].flatten(1).T
        padding = [scene.padding[0].flatten() for scene in scenes]
        mask = _batched(padding, filling=True)
        tokens, positions = _batched(tokens), _batched(positions)
        shape = max(tuple(scene.maps[0].shape[-2:]) for scene in scenes)
        memory = Memory(tokens, positions, mask, shape)
        return replace(memory, projected=dict(decoder=self.decoder.project(tokens, positions, attend_mask(mask))))

    def encode(self, candidates: Candidates, memory: Memory) -> QuerySet:
        """Pair queries (B, M, E); their positions are both centres' codes, then both boxes'."""
        features = self.input_proj(candidates.features)
        centre_codes, box_codes = self.codes(candidates, features)
        x = features
        for layer in self.encoder:
            x = layer(x, box_codes, candidates.absent)
        spatial = self.spatial_head(pairwise_numbers(candidates.boxes, candidates.sizes))
        content = self.pair_fusion(self._of_both(candidates, x), candidates.of_both(spatial))
        pos = [self._of_both(candidates, codes) for codes in (centre_codes, box_codes)]
        return QuerySet(content, torch.cat(pos, -1), candidates.padding_mask)

    @staticmethod
    def _of_both(candidates: Candidates, values: Tensor) -> Tensor:
        return torch.cat([candidates.of_pairs("sub", values), candidates.of_pairs("obj", values)], -1)

    def codes(self, candidates: Candidates, features: Tensor) -> tuple[Tensor, Tensor]:
        """Codes of instances: of centres, scaled by what the features say, (B, N, D); of boxes, (B, N, 2D)."""
        boxes = centres_and_sides(candidates.boxes, candidates.sizes)
        x, y, w, h = (sine_code(each, self.embed_dims // 2, self.TEMPERATURE) for each in boxes.unbind(-1))
        scale = self.ref_anchor_head(features).sigmoid() / boxes[..., 2:]
        centre = torch.cat([y * scale[..., 1:], x * scale[..., :1]], -1)
        return centre, torch.cat([y, x, h, w], -1)

    def decode(self, queries: QuerySet, memory: Memory, context: QuerySet | None = None) -> Tensor:
        """(L, B, M, E); ``context`` is not needed: queries see each other, and the image."""
        return self.decoder(queries, memory.projected["decoder"])

    def classify(self, states: Tensor) -> dict[str, Tensor]:
        """See :class:`CandidateHead`."""
        return dict(verb_logits=self.verb_cls(states).float())


def _batched(values: Sequence[Tensor], filling: float = 0) -> Tensor:
    """(B, S, ...) of values (s, ...), filled up to the longest; one stays as it is, as ONNX has no filling up."""
    return values[0][None] if len(values) == 1 else pad_sequence(values, batch_first=True, padding_value=filling)
