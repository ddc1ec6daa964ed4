"""Parts of the interactiveness network: streams of boxes, context by attention, convolutions on pair maps."""

import torch
import torch.nn.functional as F
from mmdet.models.backbones.resnet import Bottleneck
from mmdet.models.layers import ResLayer
from torch import Tensor, nn

CONTEXT_CHUNK = 1 << 26  # numbers in the largest intermediate result of ContextAttention, 256 MB


class RegionStream(ResLayer):
    """Residual units on the crop of a box, averaged over it; TIN's blocks 4 (subjects) and 5 (objects).

    Args:
        in_channels (int): C.
        planes (int): a quarter of the output channels.
        num_blocks (int): residual units, all of stride 1.
        norm_cfg (dict): normalisation layers.
    """

    EXPANSION = Bottleneck.expansion

    def __init__(self, in_channels: int, planes: int, num_blocks: int, norm_cfg: dict):
        super().__init__(Bottleneck, in_channels, planes, num_blocks, stride=1, norm_cfg=norm_cfg)

    def forward(self, crops: Tensor) -> Tensor:
        """(N, C, s, s) -> (N, 4 * planes)."""
        return super().forward(crops).mean((2, 3))


class ContextAttention(nn.Module):
    """What the whole image says about a box, looked up by the box's own features (iCAN, TIN section 3.2).

    A position's logit is the mean over channels of the query times its key; the softmax goes over all positions.
    Subjects and objects have a query layer each and share everything else.

    Args:
        in_channels (int): C of the feature map, and of the context.
        query_channels (int): Q of a box's features.
        channels (int): A, of keys and values.
        dropout (float): of the query.
    """

    def __init__(self, in_channels: int, query_channels: int, channels: int, dropout: float):
        super().__init__()
        self.key = nn.Conv2d(in_channels, channels, 1)
        self.value = nn.Conv2d(in_channels, channels, 1)
        self.sub_query = nn.Linear(query_channels, channels)
        self.obj_query = nn.Linear(query_channels, channels)
        self.out = nn.Conv2d(channels, in_channels, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, feature: Tensor, sub_features: Tensor, obj_features: Tensor) -> tuple[Tensor, Tensor]:
        """Context of subjects and of objects.

        Args:
            feature (Tensor): (C, h, w), of one image.
            sub_features, obj_features (Tensor): (S, Q), (O, Q).

        Returns:
            tuple[Tensor, Tensor]: (S, C), (O, C).
        """
        keys, values = F.relu(self.key(feature[None]))[0], F.relu(self.value(feature[None]))
        # out(values * attention) = W values * attention + bias: the convolution is done once for all boxes.
        values = F.conv2d(values, self.out.weight)[0]  # (C, h, w)
        return tuple(
            self._look_up(keys, values, self.dropout(F.relu(layer(features))))
            for layer, features in ((self.sub_query, sub_features), (self.obj_query, obj_features))
        )

    def attention(self, keys: Tensor, queries: Tensor) -> Tensor:
        """Weights (N, h * w) of the positions for (N, A) queries and (A, h, w) keys."""
        return (queries @ keys.flatten(1) / len(keys)).softmax(-1)

    def _look_up(self, keys: Tensor, values: Tensor, queries: Tensor) -> Tensor:
        step = max(1, CONTEXT_CHUNK // values.numel())
        values = values.flatten(1)
        parts = [
            F.relu(values * self.attention(keys, part)[:, None] + self.out.bias[:, None]).mean(-1)
            for part in queries.split(step)
        ]
        return torch.cat(parts) if parts else queries.new_zeros(0, len(values))


class MapNet(nn.Module):
    """Two convolutions on 64 x 64 maps, flattened by row, column, channel.

    Args:
        in_channels (int): channels of the map that are read.
        channels (tuple[int, int]): of the two layers.
    """

    SIDE = 13  # of the result: (64 - 4) / 2 = 30, (30 - 4) / 2 = 13

    def __init__(self, in_channels: int, channels: tuple[int, int]):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels[0], 5)
        self.conv2 = nn.Conv2d(channels[0], channels[1], 5)
        self.out_features = self.SIDE**2 * channels[1]

    def forward(self, maps: Tensor) -> Tensor:
        """(P, in_channels, 64, 64) -> (P, out_features)."""
        for layer in (self.conv1, self.conv2):
            maps = F.max_pool2d(F.relu(layer(maps)), 2)
        return maps.permute(0, 2, 3, 1).flatten(1)  # the order of TensorFlow, in which official weights come
