"""The base of two-stage HOI detectors: boxes first, then pairs of them."""

import torch
from mmdet.models.detectors import BaseDetector
from mmdet.structures import OptSampleList, SampleList
from mmengine.structures import InstanceData
from torch import Tensor

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.models.freezing import TrainableParts
from hqm_mmdet.registry import MODELS, TASK_UTILS
from hqm_mmdet.structures import HOIDataSample, scale_of, with_poses


@MODELS.register_module()
class TwoStageHOI(BaseDetector, metaclass=TrainableParts):
    """Instances to pairs, in one direction.

    .. code:: text

        image -> backbone -> feature map -----------------+
        image -> instances -> pair sampler -> pairs ------+-> pair encoder -> head -> pred_pairs    (inference)
                 labelled pairs, candidates -> training pairs -> pair encoder -> head -> loss       (training)

    Every image passes the backbone without its padding, so what a batch holds besides does not change a result.

    Args:
        instances (dict): config of a provider of instances, see :mod:`~.instances`.
        pair_sampler (dict): which instances make candidate pairs; in training, negatives are drawn from them.
        training_pairs (dict, optional): what the head learns from. Default None: it does not learn.
        backbone (dict): its last map is the feature map.
        pair_encoder (dict): feature map and pairs to what the head reads.
        bbox_head (dict): classes of pairs, and losses.
        skip_negative_objects (bool): do not look at the objects of pairs that do not interact, as TIN's released code
            in training. There a negative pair is known by its missing object, which no pair lacks in testing, so the
            default is False; see ``docs/interactiveness.md``.
        suppression (dict, optional): config of
            :class:`~hqm_mmdet.models.interactiveness.NonInteractionSuppression`. Default None: none.
        trainable (list[str], optional): see :func:`~hqm_mmdet.models.freezing.train_only`.
        data_preprocessor, init_cfg (dict, optional): as in mmdet.
    """

    def __init__(
        self,
        instances: dict,
        pair_sampler: dict,
        backbone: dict,
        pair_encoder: dict,
        bbox_head: dict,
        training_pairs: dict | None = None,
        skip_negative_objects: bool = False,
        suppression: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ):
        super().__init__(data_preprocessor, init_cfg)
        self.instances = MODELS.build(instances)
        self.pair_sampler = TASK_UTILS.build(pair_sampler)
        self.training_pairs = TASK_UTILS.build(training_pairs) if training_pairs else None
        self.backbone = MODELS.build(backbone)
        self.pair_encoder = MODELS.build(pair_encoder)
        self.bbox_head = MODELS.build(bbox_head)
        self.skip_negative_objects = skip_negative_objects
        with torch.random.fork_rng(devices=[]):  # with one seed, the same initial weights with and without it
            self.suppression = MODELS.build(suppression) if suppression else None

    def extract_feat(self, batch_inputs: Tensor, batch_data_samples: OptSampleList = None) -> list[Tensor]:
        """(C, h, w) per image of (B, 3, H, W), of the part that is no padding."""
        full = tuple(batch_inputs.shape[-2:])
        sizes = [tuple(sample.get("img_shape", full)[:2]) for sample in batch_data_samples or ()]
        if all(size == full for size in sizes):
            return list(self.backbone(batch_inputs)[-1])
        images = zip(batch_inputs, sizes, strict=True)
        return [self.backbone(image[None, :, :height, :width])[-1][0] for image, (height, width) in images]

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict[str, Tensor]:
        """Loss terms of a batch; ``batch_data_samples`` need ``gt_pairs`` and what the provider reads.

        Raises:
            ConfigError: there is nothing to learn from.
        """
        if self.training_pairs is None:
            raise ConfigError("model.training_pairs is not set: this model is not trained, it predicts as it is.")
        candidates = self.candidates(batch_inputs, batch_data_samples)
        pairs = [
            self.training_pairs(with_poses(sample.gt_pairs, sample), found, sample.img_shape[:2])
            for sample, found in zip(batch_data_samples, candidates, strict=True)
        ]
        complete = [image.interactive for image in pairs] if self.skip_negative_objects else None
        features = self.pair_encoder(self.extract_feat(batch_inputs, batch_data_samples), pairs, complete)
        losses = self.bbox_head.loss(self.bbox_head(features), pairs)
        return losses | self.instances.loss(batch_inputs, batch_data_samples, self.data_preprocessor)

    @torch.no_grad()
    def candidates(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> list[InstanceData]:
        """Candidate pairs of every image, boxes and poses in pixels of the network's input."""
        found = self.instances(batch_inputs, batch_data_samples, self.data_preprocessor)
        images = zip(found, batch_data_samples, strict=True)
        return [with_poses(self.pair_sampler(instances), sample) for instances, sample in images]

    def predict(self, batch_inputs: Tensor, batch_data_samples: SampleList, rescale: bool = True) -> SampleList:
        """Fill ``pred_pairs`` of the samples.

        Args:
            batch_inputs (Tensor): (B, 3, H, W).
            batch_data_samples (list[HOIDataSample]): with ``ori_shape``, ``img_shape``, and what the provider reads.
            rescale (bool): boxes in pixels of the original image, else of the network's input. Default True.
        """
        features = self.extract_feat(batch_inputs, batch_data_samples)
        images = zip(batch_data_samples, features, self.candidates(batch_inputs, batch_data_samples), strict=True)
        for sample, feature, pairs in images:
            pairs = self.bbox_head.predict(self._scores(feature, pairs), pairs)
            pairs.pop("keypoints", None)  # the network's; no part of a prediction
            sample.pred_pairs = in_original_frame(pairs, sample) if rescale else pairs
        if self.suppression is not None:
            self.suppression(batch_inputs, batch_data_samples, self.data_preprocessor, rescale)
        return batch_data_samples

    def _forward(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> list[dict[str, Tensor]]:
        """Raw predictions, the head's dict for every image."""
        features = self.extract_feat(batch_inputs, batch_data_samples)
        candidates = self.candidates(batch_inputs, batch_data_samples)
        return [self._scores(*image) for image in zip(features, candidates, strict=True)]

    def _scores(self, feature: Tensor, pairs: InstanceData) -> dict[str, Tensor]:
        """Raw predictions of the pairs of an image, a bounded number at a time."""
        if not len(pairs):
            return self.bbox_head(self.pair_encoder([feature], [pairs]))
        scores, start = {}, 0
        for part in self.pair_encoder.in_chunks(feature, pairs):
            for name, value in self.bbox_head(part).items():
                # Into one tensor at once: small results between large temporary ones would scatter over the memory.
                whole = scores.setdefault(name, value.new_empty(len(pairs), *value.shape[1:]))
                whole[start : start + len(value)] = value
            start += len(part.complete)
        return scores


def in_original_frame(pairs: InstanceData, sample: HOIDataSample) -> InstanceData:
    """``pairs`` with boxes in pixels of the original image."""
    scale = pairs.sub_bboxes.new_tensor(scale_of(sample)).repeat(2)
    pairs.sub_bboxes, pairs.obj_bboxes = pairs.sub_bboxes / scale, pairs.obj_bboxes / scale
    return pairs
