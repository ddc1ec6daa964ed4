"""Losses that pull interaction features towards CLIP's embedding of the image."""

import torch
from torch import Tensor, nn

from hqm_mmdet.registry import MODELS


@MODELS.register_module()
class CLIPMimicLoss(nn.Module):
    """GEN-VLKT's mimic loss: mean absolute difference of an image's mean feature and CLIP's image embedding.

    Source: Liao et al., CVPR 2022, section 3.4, and ``mimic_loss`` of the official code. Of every decoder layer.

    Args:
        loss_weight (float): factor. Default 20, the official one.
    """

    def __init__(self, loss_weight: float = 20.0):
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, features: Tensor, image_embeds: Tensor) -> Tensor:
        """(L,) of features (L, B, N, e) of any length, and image embeddings (L, B, e) as CLIP gives them."""
        return self.loss_weight * (features.mean(2) - image_embeds).abs().mean((1, 2))


@MODELS.register_module()
class CLIPReconstructionLoss(nn.Module):
    """HOICLIP's ``loss_rec``: mean absolute difference of each normalised feature and the normalised image embedding.

    Of the last decoder layer; the other layers' terms are zero. Off in every published script.

    Args:
        loss_weight (float): factor. Default 2, the official one.
    """

    def __init__(self, loss_weight: float = 2.0):
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, features: Tensor, image_embeds: Tensor) -> Tensor:
        """(L,); arguments as in :class:`CLIPMimicLoss`."""
        features, image_embeds = (nn.functional.normalize(x, dim=-1) for x in (features, image_embeds))
        terms = (features - image_embeds[:, :, None]).abs().mean((1, 2, 3))
        return self.loss_weight * torch.cat([torch.zeros_like(terms[:-1]), terms[-1:]])
