"""How a trained mmdet detector of each kind gives instances with a feature vector each.

A reader gets the detector, the maps that its neck (or backbone) made of a batch, and mmdet's samples. It gives an
InstanceData per image: ``bboxes`` (N, 4) x1, y1, x2, y2 in pixels of the detector's input, ``labels`` of the detector,
``scores`` (N,), ``features`` (N, D); and a function that gives features of any boxes of an image of the batch, or None.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from mmcv.ops import roi_align
from mmdet.models.detectors import DetectionTransformer, SingleStageDetector, TwoStageDetector
from mmdet.models.roi_heads.bbox_heads import ConvFCBBoxHead
from mmdet.structures import SampleList
from mmdet.structures.bbox import bbox2roi
from mmengine.structures import InstanceData
from torch import Tensor, nn

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.structures import cxcywh_to_xyxy

from .given_boxes import decode
from .scenes import InstanceError

# boxes (n, 4) and the detector's labels (n,) of each image -> features (sum of n, D)
Pool = Callable[[Sequence[Tensor], Sequence[Tensor]], Tensor]
Reader = Callable[[nn.Module, Sequence[Tensor], SampleList], tuple[list[InstanceData], Pool | None]]
ROI_SIZE = 7
FINEST_SCALE = 56  # FPN: boxes of up to 2 x 56 pixels belong to the finest map


def reader_of(detector: nn.Module) -> Reader:
    """The reader of a detector's kind.

    Raises:
        ConfigError: of no known kind.
    """
    for kind, reader in ((DetectionTransformer, read_queries), (TwoStageDetector, read_rois)):
        if isinstance(detector, kind):
            return reader
    if isinstance(detector, SingleStageDetector):
        return read_dense
    raise ConfigError(
        f"DetectorFeatures knows mmdet's query, RoI and dense detectors; a {type(detector).__name__} is none of them. "
        "Use PooledFeatures with source=dict(type='DetectorInstances', detector=...) and a backbone."
    )


def read_queries(
    detector: DetectionTransformer, feats: Sequence[Tensor], samples: SampleList, official_index: bool = False
) -> tuple[list[InstanceData], Pool | None]:
    """Query detectors: the decoder's last states.

    mmdet's DETR, Conditional DETR, DAB-DETR and DINO give states after the decoder's norm; Deformable DETR has none.
    Softmax heads have one class per query. Sigmoid heads have the best (query, class) results, as many as their
    ``test_cfg`` says; box and state are those of the query. With ``official_index`` the r-th result has the state of
    query r, whatever its own is.
    """
    _check_positions(detector, feats)
    outputs, pool = decode(detector, feats, samples)
    found = best_queries(detector, outputs, official_index)
    for instances, sample in zip(found, samples, strict=True):
        height, width = sample.img_shape[:2]
        instances.bboxes = instances.bboxes * instances.bboxes.new_tensor([width, height, width, height])
    return found, pool


def _check_positions(detector: DetectionTransformer, feats: Sequence[Tensor]) -> None:
    """Refuse images with fewer positions than a detector wants to choose queries of."""
    positions = sum(each.shape[-2] * each.shape[-1] for each in feats)
    if getattr(detector, "as_two_stage", False) and positions < detector.num_queries:
        raise InstanceError(
            f"The detector chooses {detector.num_queries} queries among the positions of an image, but one here has "
            f"{positions} only. Have images enlarged: model.instances.scale=(1333, 800)."
        )


def best_queries(detector: DetectionTransformer, outputs: Mapping, official_index: bool = False) -> list[InstanceData]:
    """Instances of a batch with boxes relative to the image; ``outputs`` is what the transformer gives."""
    inputs = {name: value for name, value in outputs.items() if name in ("hidden_states", "references")}
    logits, boxes = (layers[-1] for layers in detector.bbox_head(**inputs))
    images = zip(logits, boxes, inputs["hidden_states"][-1], strict=True)
    return [best_of_image(detector.bbox_head, *image, official_index) for image in images]


def best_of_image(
    head: nn.Module, logits: Tensor, boxes: Tensor, states: Tensor, official_index: bool = False
) -> InstanceData:
    """The same of one image, from its queries' logits, boxes (Q, 4; cxcywh in [0, 1]) and states (Q, D)."""
    if head.loss_cls.use_sigmoid:
        scores = logits.sigmoid()
        most = (head.test_cfg or {}).get("max_per_img", len(scores))
        scores, found = scores.flatten().topk(min(most, scores.numel()))
        queries, labels = found // logits.shape[1], found % logits.shape[1]
    else:
        scores, labels = logits.softmax(-1)[:, :-1].max(-1)
        queries = torch.arange(len(logits), device=logits.device)
    features = states[: len(queries)] if official_index else states[queries]
    return InstanceData(bboxes=cxcywh_to_xyxy(boxes[queries]), labels=labels, scores=scores, features=features)


def read_rois(
    detector: TwoStageDetector, feats: Sequence[Tensor], samples: SampleList
) -> tuple[list[InstanceData], Pool]:
    """RoI detectors: the final boxes are pooled once more and pass the shared layers of the (last) box head.

    A head without shared fully connected layers gives the mean of what it pools.
    """
    proposals = detector.rpn_head.predict(feats, samples, rescale=False)
    metas = [sample.metainfo for sample in samples]
    roi_head = detector.roi_head
    found = roi_head.predict_bbox(feats, metas, proposals, roi_head.test_cfg, rescale=False)
    return _with_features(found, partial(_roi_features, roi_head, feats))


def _roi_features(roi_head: nn.Module, feats: Sequence[Tensor], boxes: Sequence[Tensor]) -> Tensor:
    parts = (roi_head.bbox_roi_extractor, roi_head.bbox_head)
    extractor, head = (part[-1] if isinstance(part, nn.ModuleList) else part for part in parts)
    pooled = extractor(feats[: extractor.num_inputs], bbox2roi(list(boxes)))
    if roi_head.with_shared_head:
        pooled = roi_head.shared_head(pooled)
    shared = isinstance(head, ConvFCBBoxHead) and head.num_shared_fcs and not roi_head.with_shared_head
    return _shared_layers(head, pooled) if shared else pooled.mean((2, 3))


def _shared_layers(head: ConvFCBBoxHead, pooled: Tensor) -> Tensor:
    for layer in head.shared_convs:
        pooled = layer(pooled)
    features = (head.avg_pool(pooled) if head.with_avg_pool else pooled).flatten(1)
    for layer in head.shared_fcs:
        features = head.relu(layer(features))
    return features


def read_dense(
    detector: SingleStageDetector, feats: Sequence[Tensor], samples: SampleList
) -> tuple[list[InstanceData], Pool]:
    """Dense detectors: final boxes, pooled from the neck's maps."""
    found = detector.bbox_head.predict(feats, samples, rescale=False)
    return _with_features(found, partial(pool_boxes, feats, full=samples[0].batch_input_shape))


def pool_boxes(maps: Sequence[Tensor], boxes: Sequence[Tensor], full: tuple[int, int]) -> Tensor:
    """Mean of a 7 x 7 RoIAlign of every box, (N, C), image by image.

    A box is pooled from one map, as in FPN: the finest up to 112 pixels (root of its area), then a coarser one at every
    doubling, as far as there are maps of neighbouring strides.

    Args:
        maps (Sequence[Tensor]): (B, C, h, w) each, of equal channels.
        boxes (Sequence[Tensor]): (n, 4) of each image, pixels of the batch.
        full (tuple[int, int]): height and width of the batch, pixels.

    Raises:
        ConfigError: maps differ in channels.
    """
    if len({each.shape[1] for each in maps}) > 1:
        raise ConfigError(
            f"The detector's maps have {[each.shape[1] for each in maps]} channels; features of boxes must all have as "
            "many. Use PooledFeatures with source=dict(type='DetectorInstances', detector=...) and a backbone."
        )
    maps = sorted(maps, key=lambda each: -each.shape[-2] * each.shape[-1])  # YOLO's necks begin with the coarsest
    rois = bbox2roi(list(boxes))
    features = rois.new_zeros(len(rois), maps[0].shape[1])
    levels = _levels(rois[:, 1:], len(maps))
    for level, each in enumerate(maps):
        rows = (levels == level).nonzero()[:, 0]
        if len(rows):
            scale = each.shape[-1] / full[1]
            # In float32: half precision has no digits for coordinates.
            pooled = roi_align(each.float(), rois[rows].float(), (ROI_SIZE, ROI_SIZE), scale, 0, "avg", True)
            features[rows] = pooled.mean((2, 3)).to(features)
    return features


def _levels(boxes: Tensor, num_levels: int) -> Tensor:
    """(N,) long map of each box."""
    scale = (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(1).sqrt()
    return torch.log2(scale / FINEST_SCALE + 1e-6).floor().clamp(0, num_levels - 1).long()


def boxes_of(found: InstanceData) -> Tensor:
    """(N, 4) boxes, of mmdet's box types or as they are."""
    return getattr(found.bboxes, "tensor", found.bboxes)


def _with_features(
    found: Sequence[InstanceData], pool: Callable[[Sequence[Tensor]], Tensor]
) -> tuple[list[InstanceData], Pool]:
    """Instances of each image with their features, and what made them."""
    boxes = [boxes_of(each) for each in found]
    parts = pool(boxes).split([len(each) for each in found])
    return [
        InstanceData(bboxes=own, labels=each.labels, scores=each.scores, features=part)
        for each, own, part in zip(found, boxes, parts, strict=True)
    ], lambda boxes, labels: pool(boxes)
