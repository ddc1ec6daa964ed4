"""The HOI head of queries with an interaction point."""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

from hqm_mmdet.registry import MODELS

from .hoi_head import HOIHead


class InteractionPointStates(NamedTuple):
    """Decoder states and interaction points.

    Args:
        states (Tensor): (L, B, N, D).
        points (Tensor): (B, N, 2) logits of x, y in [0, 1] relative to the image; the same for all layers.
    """

    states: Tensor
    points: Tensor


@MODELS.register_module()
class ConditionalHOIHead(HOIHead):
    """:class:`HOIHead` whose boxes are relative to an interaction point.

    The centres of both boxes are ``sigmoid(point + output)``, Conditional DETR's rule for its one box, with the point's
    logits as they are (mmdet takes them back from a clamped sigmoid). Arguments as in :class:`HOIHead`.
    """

    def forward(self, decoded: InteractionPointStates) -> dict[str, Tensor]:
        """Raw predictions of every layer.

        Args:
            decoded (InteractionPointStates): states of the decoder and the queries' points.

        Returns:
            dict[str, Tensor]: as in :class:`HOIHead`, and ``interaction_points`` (L, B, N, 2), x, y in [0, 1].
        """
        states, points = decoded
        # zeros beside x and y: the point moves centres, not sizes
        preds = super().forward(states, box_origin=F.pad(points, (0, 2)))
        points = points.sigmoid().expand(len(states), -1, -1, -1)
        return dict(preds, interaction_points=points)
