"""PViC's layers: the maps that pairs look at, instances that see each other, pair queries, their decoder."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hqm_mmdet.models.layers import QuerySet
from hqm_mmdet.models.layers.memory import ProjectedMemory, self_attend_mask

from .attention import FeedForward, SplitAttention
from .window_attention import SwinBlock

# torchvision's Swin-V2-T has 12 blocks, and chances grow to 0.2; the block here has the one of its last but one.
STOCHASTIC_DEPTH = [0.2 * i / 11 for i in range(12)]


class MapHead(nn.Module):
    """Backbone maps to one map: a feature pyramid's finest level, then Swin blocks.

    Args:
        channels (Sequence[int]): of the maps, the coarsest last.
        embed_dims (int): D. Default: 256.
        num_blocks (int): Swin blocks. Default: 1.
        num_heads (int): Default: 8.
        window (int): side of a window. Default: 8.
        drop_path (bool): whether images skip branches in training, as officially. Default: True.
    """

    def __init__(
        self,
        channels: Sequence[int],
        embed_dims: int = 256,
        num_blocks: int = 1,
        num_heads: int = 8,
        window: int = 8,
        drop_path: bool = True,
    ):
        super().__init__()
        self.inner = nn.ModuleList(nn.Conv2d(width, embed_dims, 1) for width in channels)
        self.output = nn.Conv2d(embed_dims, embed_dims, 3, padding=1)
        for layer in (*self.inner, self.output):
            nn.init.kaiming_uniform_(layer.weight, a=1)
            nn.init.zeros_(layer.bias)
        chances = STOCHASTIC_DEPTH[10 - num_blocks : 10] if drop_path else [0.0] * num_blocks
        self.blocks = nn.ModuleList(
            SwinBlock(embed_dims, num_heads, window, 0 if i % 2 == 0 else window // 2, chance)
            for i, chance in enumerate(chances)
        )

    def pyramid(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps (B, C, h, w), the coarsest last -> (B, D, h, w) of the finest size."""
        x = self.inner[-1](maps[-1])
        for layer, finer in zip(reversed(self.inner[:-1]), reversed(maps[:-1]), strict=True):
            x = layer(finer) + F.interpolate(x, finer.shape[-2:])
        return self.output(x)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps (B, C, h, w), the coarsest last -> (B, h, w, D)."""
        x = self.pyramid(maps).permute(0, 2, 3, 1)
        for block in self.blocks:
            x = block(x)
        return x


class InstanceLayer(nn.Module):
    """An encoder layer among the instances of an image, positions projected in every layer.

    Args:
        embed_dims (int): D.
        pos_dims (int): of the position codes.
        num_heads (int): Default: 8.
        dropout (float): Default: 0.1.
    """

    def __init__(self, embed_dims: int, pos_dims: int, num_heads: int = 8, dropout: float = 0.1):
        super().__init__()
        self.attention = SplitAttention(embed_dims, num_heads, dropout, query_pos_dims=pos_dims, key_pos_dims=pos_dims)
        self.norm = nn.LayerNorm(embed_dims)
        self.ffn = FeedForward(embed_dims, 4 * embed_dims, nn.ReLU(), dropout, dropout)

    def forward(self, x: Tensor, pos: Tensor, absent: Tensor) -> Tensor:
        """(B, N, D), with codes (B, N, pos_dims) and ``absent`` (B, N) bool, whom nobody sees."""
        keys_values = self.attention.keys_values(x, pos)
        return self.ffn(self.norm(self.attention(x, keys_values, pos, self_attend_mask(QuerySet(x, pos, absent)))))


class PairFusion(nn.Module):
    """Two instances and how their boxes lie -> a pair query.

    Args:
        embed_dims (int): of instances.
        query_dims (int): E, of queries and of what tells how boxes lie.
    """

    def __init__(self, embed_dims: int, query_dims: int):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(2 * embed_dims, query_dims), nn.Linear(query_dims, query_dims)
        self.ln1, self.ln2 = nn.LayerNorm(query_dims), nn.LayerNorm(query_dims)
        hidden = query_dims * 3 // 2
        self.mlp = nn.Sequential(nn.Linear(2 * query_dims, hidden), nn.ReLU(), nn.Linear(hidden, query_dims), nn.ReLU())

    def forward(self, instances: Tensor, spatial: Tensor) -> Tensor:
        """(B, M, 2 embed_dims) and (B, M, E) -> (B, M, E)."""
        return self.mlp(F.relu(torch.cat([self.ln1(self.fc1(instances)), self.ln2(self.fc2(spatial))], -1)))


class PairDecoderLayer(nn.Module):
    """Pair queries see each other, then the image (PViC, section 3.3).

    Args:
        query_dims (int): E.
        memory_dims (int): of image tokens.
        centre_dims, box_dims (int): of both position codes of a query.
        num_heads (int): Default: 8.
        dropout (float): Default: 0.1.
    """

    def __init__(
        self,
        query_dims: int,
        memory_dims: int,
        centre_dims: int,
        box_dims: int,
        num_heads: int = 8,
        dropout: float = 0.1,
    ):
        super().__init__()
        self.self_attn = SplitAttention(query_dims, num_heads, dropout, None, box_dims, box_dims)
        self.cross_attn = SplitAttention(
            query_dims, num_heads, dropout, memory_dims, centre_dims, memory_dims, side_by_side=True
        )
        self.norm1, self.norm2 = nn.LayerNorm(query_dims), nn.LayerNorm(query_dims)
        self.ffn = FeedForward(query_dims, 4 * query_dims, nn.ReLU(), dropout, dropout)


class PairDecoder(nn.Module):
    """Layers and a norm that all their outputs pass.

    Args:
        num_layers (int): L.
        query_dims, centre_dims, box_dims, **kwargs: as in :class:`PairDecoderLayer`.
    """

    def __init__(self, num_layers: int, query_dims: int, centre_dims: int, box_dims: int, **kwargs):
        super().__init__()
        self.widths = (centre_dims, box_dims)
        self.layers = nn.ModuleList(
            PairDecoderLayer(query_dims, centre_dims=centre_dims, box_dims=box_dims, **kwargs)
            for _ in range(num_layers)
        )
        self.norm = nn.LayerNorm(query_dims)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def project(self, tokens: Tensor, pos: Tensor, mask: Tensor) -> ProjectedMemory:
        """Image tokens and positions (B, S, D) as the layers read them; ``mask`` as in :class:`ProjectedMemory`."""
        return ProjectedMemory([layer.cross_attn.keys_values(tokens, pos) for layer in self.layers], mask)

    def forward(self, queries: QuerySet, memory: ProjectedMemory) -> Tensor:
        """(L, B, M, E); the position of a query is its centre's code, then its box's."""
        centre, box = queries.pos.split(self.widths, -1)
        x, states, self_mask = queries.content, [], self_attend_mask(queries)
        for layer, keys_values in zip(self.layers, memory.keys_values, strict=True):
            x = layer.norm1(layer.self_attn(x, layer.self_attn.keys_values(x, box), box, self_mask))
            seen = layer.cross_attn(x, keys_values, centre, memory.mask, queries.rule, queries.recorder)
            x = layer.ffn(layer.norm2(seen))
            states.append(self.norm(x) if queries.post_norm else x)
        return torch.stack(states)
