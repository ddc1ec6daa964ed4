"""The light variant: interactiveness read from a host's own pair embeddings."""

import torch
from mmdet.models.layers import MLP
from mmengine.model import BaseModule
from torch import Tensor

from hqm_mmdet.registry import MODELS

from .losses import weighted_logit_loss


@MODELS.register_module()
class QueryInteractiveness(BaseModule):
    """Two independent scores per query, from what the host's decoder says about it.

    It is trained with the host, on the host's matching: a query that stands for a labelled pair interacts, every other
    one does not. Cheaper than the network of its own, and of use to this host only.

    Args:
        embed_dims (int): D of the host's decoder states.
        loss_weight (float): of its loss. Default: 1.
        class_weights (tuple[float, float]): factors of both logits in training, see
            :func:`~.losses.weighted_logit_loss`. Default: TIN's on HICO-DET, ln(1 / 0.2) and ln(1 / 0.8).
        init_cfg (dict, optional): as in mmengine. Default None.
    """

    def __init__(
        self,
        embed_dims: int,
        loss_weight: float = 1.0,
        class_weights: tuple[float, float] = (1.6094379, 0.2231436),
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        self.loss_weight = loss_weight
        self.score = MLP(embed_dims, embed_dims, 2, 2)
        self.register_buffer("class_weights", torch.tensor(class_weights), persistent=False)

    def forward(self, states: Tensor) -> Tensor:
        """(..., D) -> (..., 2) logits, ``INTERACTIVE`` and ``NON_INTERACTIVE``, float32."""
        return self.score(states).float()

    def loss(self, logits: Tensor, interactive: Tensor) -> Tensor:
        """(L,) losses of logits (L, B, N, 2) and (L, B, N) bool."""
        labels = torch.stack([interactive, ~interactive], -1).to(logits.dtype)
        layers = zip(logits.flatten(1, 2), labels.flatten(1, 2), strict=True)
        return self.loss_weight * torch.stack([weighted_logit_loss(*layer, self.class_weights) for layer in layers])
