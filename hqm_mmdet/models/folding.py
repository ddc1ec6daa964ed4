"""Batch norms as a part of the convolutions before them."""

from collections.abc import Iterator
from functools import partial

import torch
import torch.nn.functional as F
from mmcv.cnn.utils import fuse_conv_bn
from torch import Tensor, nn

Pair = tuple[nn.Conv2d, nn.BatchNorm2d]


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
        for module in model.backbone.modules():  # what FrozenNorms put there
            module.__dict__.pop("forward", None)
        model.backbone = fuse_conv_bn(model.backbone)
    return model


class FrozenNorms:
    """The same for a model that trains, and keeps its state: frozen batch norms are folded in each forward pass anew.

    Their outputs need not be kept for the backward pass. Norms that learn, be it statistics or scales, are left alone.

    Args:
        backbone (nn.Module): is prepared here; its norms are told by their modes in each pass.
    """

    def __init__(self, backbone: nn.Module):
        self.pairs = list(_pairs(backbone))
        self.pairs = [pair for pair in self.pairs if pair[1].eps == self.pairs[0][1].eps]
        self.scales_shifts: list[tuple[Tensor, Tensor]] | None = None
        if self.pairs:
            self._install(backbone)

    def _install(self, backbone: nn.Module) -> None:
        backbone.register_forward_pre_hook(self._read_norms)
        for i, (convolution, norm) in enumerate(self.pairs):
            convolution.forward = partial(self._convolve, i)
            norm.forward = partial(self._normalise, i)

    @torch.no_grad()
    def _read_norms(self, backbone: nn.Module, inputs: tuple) -> None:
        """Scale and shift of each norm, in a few operations for all."""
        norms = [norm for _, norm in self.pairs]
        if any(norm.training for norm in norms):
            self.scales_shifts = None
            return
        names = ("weight", "bias", "running_mean", "running_var")
        values = torch.stack([torch.cat([getattr(norm, name) for norm in norms]) for name in names])
        weight, bias, mean, variance = values.double()  # what is rounded here is wrong alike at all positions
        scale = (weight / (variance + norms[0].eps).sqrt()).to(values.dtype)
        shift = (bias - mean * scale).to(values.dtype)
        sizes = [norm.num_features for norm in norms]
        self.scales_shifts = list(zip(scale.split(sizes), shift.split(sizes), strict=True))

    def _convolve(self, i: int, x: Tensor) -> Tensor:
        layer = self.pairs[i][0]
        if self.scales_shifts is None:
            return type(layer).forward(layer, x)
        scale, shift = self.scales_shifts[i]
        weight = layer.weight * scale[:, None, None, None]
        return F.conv2d(x, weight, shift, layer.stride, layer.padding, layer.dilation, layer.groups)

    def _normalise(self, i: int, x: Tensor) -> Tensor:
        norm = self.pairs[i][1]
        return type(norm).forward(norm, x) if self.scales_shifts is None else x


def _pairs(module: nn.Module) -> Iterator[Pair]:
    """Plain convolutions and the frozen batch norms that follow them; children are in the order of their work, on which
    mmcv relies too."""
    before = None
    for child in module.children():
        if before is not None and _is_frozen(child):
            yield before, child
        before = child if _is_plain(child) else None
        yield from _pairs(child)


def _is_plain(layer: nn.Module) -> bool:
    forward = getattr(type(layer), "forward", None)
    return forward is nn.Conv2d.forward and layer.bias is None and layer.padding_mode == "zeros"


def _is_frozen(layer: nn.Module) -> bool:
    if not isinstance(layer, nn.BatchNorm2d) or not (layer.affine and layer.track_running_stats):
        return False
    return not (layer.weight.requires_grad or layer.bias.requires_grad)
