"""What TIN knows about a pair before it says anything: features of both boxes, their context, their layout."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from mmengine.utils.dl_utils.parrots_wrapper import _BatchNorm
from torch import Tensor

from hqm_mmdet.registry import MODELS

from .layers import ContextAttention, MapNet, RegionStream
from .pair_maps import pair_maps
from .roi_crop import roi_crop


@dataclass(frozen=True, eq=False)
class PairFeatures:
    """Features of P pairs, of all images of a batch; F channels per box, C of the context.

    Args:
        sub, obj (Tensor): (P, F), (K, F), of the boxes.
        sub_context, obj_context (Tensor): (P, C), (K, C), of the image, as each box sees it.
        layout (Tensor): (P, M), of the pair map.
        pose_maps (Tensor): (P, 1, 64, 64).
        complete (Tensor): (P,) bool, which K pairs have features of an object.
    """

    sub: Tensor
    obj: Tensor
    sub_context: Tensor
    obj_context: Tensor
    layout: Tensor
    pose_maps: Tensor
    complete: Tensor


@MODELS.register_module()
class PairEncoder(BaseModule):
    """Pairs to features: H and O streams, attention, and the convolutions of the S stream.

    Source: TIN (CVPR 2019), sections 3.1 and 3.2, and iCAN, whose streams it takes.

    Args:
        in_channels (int): C of the feature map. Default: 1024.
        feature_stride (int): of the feature map. Default: 16.
        region_planes, region_blocks (int): width and number of the residual units that a crop passes. Default: 512, 3.
        attention_channels (int): keys and values of the attention. Default: 512.
        map_channels (tuple[int, int]): convolutions on the two box channels of the pair map. Default: (64, 32).
        norm_cfg (dict, optional): of the residual units. Default None: frozen batch norm.
        context_dropout (float): of the attention's query. Default: 0.2.
        chunk_size (int): so many boxes pass the residual units, and so many pairs what follows, at once in inference.
            It bounds memory. Default: 256.
        init_cfg (dict, optional): as in mmengine.
    """

    CROP_SIZE = 7

    def __init__(
        self,
        in_channels: int = 1024,
        feature_stride: int = 16,
        region_planes: int = 512,
        region_blocks: int = 3,
        attention_channels: int = 512,
        map_channels: tuple[int, int] = (64, 32),
        norm_cfg: dict | None = None,
        context_dropout: float = 0.2,
        chunk_size: int = 256,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        norm_cfg = norm_cfg or dict(type="BN", requires_grad=False)
        self.feature_stride, self.chunk_size = feature_stride, chunk_size
        self.sub_stream = RegionStream(in_channels, region_planes, region_blocks, norm_cfg)
        self.obj_stream = RegionStream(in_channels, region_planes, region_blocks, norm_cfg)
        self.region_channels = region_planes * RegionStream.EXPANSION
        self.context_channels = in_channels
        self.context = ContextAttention(in_channels, self.region_channels, attention_channels, context_dropout)
        self.layout_net = MapNet(2, map_channels)

    def train(self, mode: bool = True) -> "PairEncoder":
        """Batch norms that do not learn keep their statistics too."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, _BatchNorm) and not module.weight.requires_grad:
                module.eval()
        return self

    def forward(
        self, features: list[Tensor], pairs: list[InstanceData], complete: list[Tensor] | None = None
    ) -> PairFeatures:
        """Features of the pairs of all images, one image after the other.

        Args:
            features (list[Tensor]): (C, h, w) per image, without padding.
            pairs (list[InstanceData]): ``sub_bboxes``, ``obj_bboxes`` (P, 4) in pixels of the network's input, and
                ``keypoints`` (P, 17, 2 or more) where there are any, see :func:`~.pair_maps.pair_maps`.
            complete (list[Tensor], optional): (P,) bool, pairs whose objects are looked at. Default None: all.
        """
        complete = complete or [torch.ones(len(p), dtype=torch.bool, device=p.sub_bboxes.device) for p in pairs]
        images = [self._boxes(*image) for image in zip(features, pairs, complete, strict=True)]
        boxes = [torch.cat(parts) for parts in zip(*(image.of_pairs() for image in images), strict=True)]
        maps = torch.cat([pair_maps(p.sub_bboxes, p.obj_bboxes, p.get("keypoints")) for p in pairs])
        return self._pair_features(boxes, maps, torch.cat(complete))

    def in_chunks(self, feature: Tensor, pairs: InstanceData) -> Iterator[PairFeatures]:
        """As :meth:`forward` for one image, ``chunk_size`` pairs at a time; each box is looked at once for all pairs.

        200 persons make 40,000 pairs, whose maps and features would fill gigabytes.
        """
        boxes = self._boxes(feature, pairs, torch.ones(len(pairs), dtype=torch.bool, device=feature.device))
        for rows in torch.arange(len(pairs), device=feature.device).split(self.chunk_size):
            part = pairs[rows]
            maps = pair_maps(part.sub_bboxes, part.obj_bboxes, part.get("keypoints"))
            yield self._pair_features(boxes.of_pairs(rows), maps, torch.ones_like(rows, dtype=torch.bool))

    def _pair_features(self, boxes: Sequence[Tensor], maps: Tensor, complete: Tensor) -> PairFeatures:
        return PairFeatures(*boxes, self.layout_net(maps[:, :2]), maps[:, 2:], complete)

    def _boxes(self, feature: Tensor, pairs: InstanceData, complete: Tensor) -> "_BoxFeatures":
        """Features of the boxes of an image's pairs."""
        sub_boxes, sub_of_pair = self._distinct(pairs.sub_bboxes)
        obj_boxes, obj_of_pair = self._distinct(pairs.obj_bboxes[complete])
        sub = self._regions(self.sub_stream, feature, sub_boxes)
        obj = self._regions(self.obj_stream, feature, obj_boxes)
        return _BoxFeatures(sub, obj, *self.context(feature, sub, obj), sub_of_pair, obj_of_pair)

    def _distinct(self, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Distinct boxes, and which one each pair has: a box is in many pairs, its features are computed once.

        In training every pair has its own, since dropout draws for each.
        """
        if self.training or not len(boxes):
            return boxes, torch.arange(len(boxes), device=boxes.device)
        return torch.unique(boxes, dim=0, return_inverse=True)

    def _regions(self, stream: RegionStream, feature: Tensor, boxes: Tensor) -> Tensor:
        """(N, F) features of (N, 4) boxes in pixels of the network's input."""
        if not len(boxes):
            return feature.new_zeros(0, self.region_channels)
        chunks = boxes.split(len(boxes) if self.training else self.chunk_size)
        return torch.cat([stream(roi_crop(feature, part / self.feature_stride, self.CROP_SIZE)) for part in chunks])


@dataclass(frozen=True, eq=False)
class _BoxFeatures:
    """Features of S subjects and O objects of an image, and the rows that make its pairs."""

    sub: Tensor
    obj: Tensor
    sub_context: Tensor
    obj_context: Tensor
    sub_of_pair: Tensor
    obj_of_pair: Tensor

    def of_pairs(self, rows: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """``sub``, ``obj``, ``sub_context``, ``obj_context`` of some pairs, or of all."""
        sub_ids, obj_ids = self.sub_of_pair, self.obj_of_pair
        if rows is not None:
            sub_ids, obj_ids = sub_ids[rows], obj_ids[rows]
        return self.sub[sub_ids], self.obj[obj_ids], self.sub_context[sub_ids], self.obj_context[obj_ids]
