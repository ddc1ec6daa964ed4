"""ResNet as TensorFlow's slim builds it."""

from mmdet.models import ResNet
from torch import nn

from hqm_mmdet.registry import MODELS


@MODELS.register_module()
class SlimResNet(ResNet):
    """A ResNet whose stages stride in their last unit instead of the first.

    There the 3 x 3 convolution strides, and the identity shortcut takes every second pixel. Weights of a ResNet in
    mmdet's layout fit by name and shape, but were not trained for it. Source: ``resnet_v1`` of TensorFlow slim, on
    which TIN, iCAN and their Faster R-CNN are built.

    Args:
        strides (tuple[int]): stride of each stage, in its last unit; slim's stage of stride 1 for the last one makes
            stride 16 of three stages. Default: (2, 2, 1).
        num_stages (int): default 3.
        out_indices (tuple[int]): default (2,), the last stage.
        **kwargs: as in mmdet's ``ResNet``.
    """

    def __init__(self, strides=(2, 2, 1), num_stages=3, out_indices=(2,), **kwargs):
        dilations = (1,) * num_stages
        super().__init__(strides=strides, num_stages=num_stages, out_indices=out_indices, dilations=dilations, **kwargs)

    def make_res_layer(self, **kwargs) -> nn.Sequential:
        """A stage; arguments are those of mmdet's ``ResLayer``."""
        stride = kwargs.pop("stride")
        units = super().make_res_layer(stride=1, **kwargs)
        if stride > 1:
            planes = kwargs["planes"]
            units[-1] = kwargs["block"](
                inplanes=planes * kwargs["block"].expansion,
                planes=planes,
                stride=stride,
                downsample=nn.MaxPool2d(1, stride),
                style=kwargs["style"],
                conv_cfg=kwargs["conv_cfg"],
                norm_cfg=kwargs["norm_cfg"],
            )
        return units
