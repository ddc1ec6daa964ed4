"""D: does a pair interact?"""

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from torch import Tensor, nn

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.registry import MODELS

from .layers import MapNet
from .losses import interactiveness_loss
from .pair_encoder import PairFeatures

INTERACTIVE, NON_INTERACTIVE = 0, 1  # columns of the scores


@MODELS.register_module()
class InteractivenessHead(BaseModule):
    """Two independent scores per pair: that it interacts, and that it does not.

    Source: TIN (CVPR 2019), section 3.3; sizes from the official code, which has two variants: ``sub_context_with``.

    Args:
        region_channels (int): F of a box's features. Default: 2048.
        context_channels (int): C of its context. Default: 1024.
        layout_channels (int): M of the pair map's features. Default: 5408.
        hidden_channels (int): of all layers. Default: 1024.
        pose_channels (tuple[int, int]): convolutions on the pose map. Default: (32, 16).
        sub_context_with (str): ``subject`` (official HICO-DET): the subject's context enters beside the subject;
            ``object`` (official V-COCO): beside the object. Default: ``subject``.
        dropout (float): after each layer. Default: 0.2.
        loss_weight (float): of the loss. Default: 1.
        class_weights (tuple[float, float]): factors of both logits in training; default: ln(1 / 0.2), ln(1 / 0.8), the
            official HICO-DET's. V-COCO's are ln 3, ln 1.5.
        init_cfg (dict, optional): as in mmengine.

    Raises:
        ConfigError: another ``sub_context_with``.
    """

    def __init__(
        self,
        region_channels: int = 2048,
        context_channels: int = 1024,
        layout_channels: int = 5408,
        hidden_channels: int = 1024,
        pose_channels: tuple[int, int] = (32, 16),
        sub_context_with: str = "subject",
        dropout: float = 0.2,
        loss_weight: float = 1.0,
        class_weights: tuple[float, float] = (1.6094379, 0.2231436),
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        if sub_context_with not in ("subject", "object"):
            raise ConfigError(f"sub_context_with must be 'subject' or 'object', got {sub_context_with!r}.")
        self.sub_context_with, self.loss_weight = sub_context_with, loss_weight
        self.pose_net = MapNet(1, pose_channels)
        own = region_channels + context_channels
        moved = context_channels if sub_context_with == "object" else 0
        self.sub_fc = nn.Linear(own - moved + layout_channels + self.pose_net.out_features, hidden_channels)
        self.obj_fc = nn.Linear(own + moved, hidden_channels)
        self.fc = nn.Linear(2 * hidden_channels, hidden_channels)
        self.score = nn.Linear(hidden_channels, 2)
        nn.init.normal_(self.score.weight, 0, 0.01)
        nn.init.zeros_(self.score.bias)
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("class_weights", torch.tensor(class_weights), persistent=False)

    def forward(self, features: PairFeatures) -> dict[str, Tensor]:
        """``interactiveness_logits`` (P, 2), columns ``INTERACTIVE`` and ``NON_INTERACTIVE``.

        For a pair whose object was not looked at, the subject's hidden layer stands in for the object's, as in the
        official code for negative pairs in training.
        """
        complete = features.complete
        sub_parts = [features.sub, features.layout, self.pose_net(features.pose_maps)]
        obj_parts = [features.obj, features.obj_context]
        if self.sub_context_with == "subject":
            sub_parts.insert(1, features.sub_context)
        else:
            obj_parts.insert(1, features.sub_context[complete])
        sub = self._hidden(self.sub_fc, sub_parts)
        obj = sub.clone()
        obj[complete] = self._hidden(self.obj_fc, obj_parts)
        return dict(interactiveness_logits=self.score(self._hidden(self.fc, [sub, obj])).float())

    def loss(self, preds: dict[str, Tensor], pairs: list[InstanceData]) -> dict[str, Tensor]:
        """``loss_interactiveness`` of the output of :meth:`forward`; pairs have ``interactive`` (P,) bool."""
        interactive = torch.cat([image.interactive for image in pairs])
        value = interactiveness_loss(preds["interactiveness_logits"], interactive, self.class_weights)
        return {"loss_interactiveness": self.loss_weight * value}

    @staticmethod
    def predict(preds: dict[str, Tensor], pairs: InstanceData) -> InstanceData:
        """``pairs`` with ``interactiveness`` (P, 2), probabilities."""
        pairs.interactiveness = preds["interactiveness_logits"].sigmoid()
        return pairs

    def _hidden(self, layer: nn.Linear, parts: list[Tensor]) -> Tensor:
        return self.dropout(F.relu(layer(torch.cat(parts, 1))))
