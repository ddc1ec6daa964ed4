"""Batch norms as a part of the convolutions before them."""

from mmcv.cnn.utils import fuse_conv_bn
from torch import nn


def fold_norms(model: nn.Module) -> nn.Module:
    """Let the convolutions of a model's backbone do what the batch norms after them do in inference.

    Saves one pass over every feature map. The model can't be trained any more, and its state has other names; results
    are the same up to rounding.

    Args:
        model (nn.Module): with its weights, in evaluation mode; one without ``backbone`` is left as it is.

    Returns:
        nn.Module: the model.
    """
    if getattr(model, "backbone", None) is not None:
        model.backbone = fuse_conv_bn(model.backbone)
    return model
