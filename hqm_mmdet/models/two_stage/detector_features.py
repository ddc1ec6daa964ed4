"""Instances of any mmdet detector with features, and its maps: what UPT and PViC read."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from mmcv.cnn.bricks import DropPath
from mmdet.structures import SampleList
from mmengine.structures import InstanceData
from torch import Tensor, nn

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.registry import MODELS

from .detector_instances import DetectorInstances, plain_sample
from .feature_readers import read_queries, reader_of
from .scenes import Scene, of_equal_size, padding_of

RANDOM_LAYERS = (nn.Dropout, nn.MultiheadAttention, DropPath)


@MODELS.register_module()
class DetectorFeatures(DetectorInstances):
    """A detector of mmdet's that gives, besides boxes, a feature vector per instance and feature maps.

    How depends on its kind, see :mod:`~.feature_readers`. Neither boxes nor features carry gradients.

    Args:
        detector, checkpoint, classes, detector_classes, scale, frozen, loss_weight: as in :class:`DetectorInstances`.
        map_levels (Sequence[int]): which maps of the backbone are passed on, the coarsest last. Default: (-1,).
        padded_batches (bool): images of different sizes go through the detector together, padded, as in the official
            code; results then depend on the batch. Default False: images of one size at a time.
        active_dropout (bool): dropout and stochastic depth of a frozen detector stay active in training, as in the
            official code of UPT and PViC, where proposals of one image differ from epoch to epoch. Default: False.
        official_feature_index (bool): of query detectors with sigmoid heads, the r-th result has the state of query r,
            not of its own, as in all models released with PViC's deformable detectors. Default: False.

    Raises:
        ConfigError: a detector of an unknown kind.
        FileNotFoundError, CheckpointError, ClassNameError: as in :class:`DetectorInstances`.
    """

    def __init__(
        self,
        *args,
        map_levels: Sequence[int] = (-1,),
        padded_batches: bool = False,
        active_dropout: bool = False,
        official_feature_index: bool = False,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.reader = reader_of(self.detector)
        if official_feature_index and self.reader is not read_queries:
            raise ConfigError("official_feature_index is about query detectors, which this one is not.")
        if official_feature_index:
            self.reader = partial(read_queries, official_index=True)
        self.map_levels, self.padded_batches = tuple(map_levels), padded_batches
        self.active_dropout = active_dropout

    def forward(self, batch_inputs: Tensor, batch_data_samples: SampleList, preprocessor: nn.Module) -> list[Scene]:
        """What the detector sees in each image; arguments as in :mod:`~.instances`."""
        resized = [self._resized(each) for each in self._images(batch_inputs, batch_data_samples, preprocessor)]
        images, ratios = zip(*resized, strict=True)
        sizes = [(0, 0) if self.padded_batches else tuple(image.shape[1:]) for image in images]
        scenes: list[Scene | None] = [None] * len(images)
        training, random = self.detector.training, self.training and self.active_dropout
        self._set_mode(random)
        for rows in of_equal_size(sizes):
            seen = self._see([images[row] for row in rows], [ratios[row] for row in rows])
            for row, (instances, maps, padding, pool) in zip(rows, seen, strict=True):
                sample = batch_data_samples[row]
                name = sample.get("img_path", "an image")
                scenes[row] = Scene(instances, maps, padding, sample.img_shape[:2], name, pool)
        self.detector.train(training)
        return scenes

    def _set_mode(self, random: bool) -> None:
        self.detector.eval()
        if random:
            for module in self.detector.modules():
                if isinstance(module, RANDOM_LAYERS):
                    module.training = True

    @torch.no_grad()
    def _see(
        self, images: Sequence[Tensor], ratios: Sequence[float]
    ) -> list[tuple[InstanceData, tuple[Tensor, ...], tuple[Tensor, ...], Callable | None]]:
        """Instances, maps, their padding, and features of any boxes, of each image (3, h, w) of a batch."""
        samples = [plain_sample(tuple(image.shape[1:])) for image in images]
        data = self.detector.data_preprocessor(dict(inputs=list(images), data_samples=samples))
        inputs, samples = data["inputs"], data["data_samples"]
        maps = self.detector.backbone(inputs)
        feats = self.detector.neck(maps) if self.detector.with_neck else maps
        found, pool = self.reader(self.detector, feats, samples)
        chosen, seen = [maps[level] for level in self.map_levels], []
        for i, (instances, sample) in enumerate(zip(found, samples, strict=True)):
            own = tuple(each[i] for each in chosen)
            padding = padding_of(sample.img_shape[:2], tuple(inputs.shape[-2:]), own)
            of_image = None if pool is None else partial(self._pool, pool, i, len(found), ratios[i])
            seen.append((self._ours(instances, ratios[i]), own, padding, of_image))
        return seen

    @torch.no_grad()
    def _pool(self, pool: Callable, image: int, num_images: int, ratio: float, boxes: Tensor) -> Tensor:
        """Features of boxes (n, 4) of an image of a batch, in pixels of the host's frame."""
        return pool([boxes * ratio if i == image else boxes[:0] for i in range(num_images)])

    def _ours(self, found: InstanceData, ratio: float) -> InstanceData:
        """Known classes, labels of the data set, boxes of the host's frame."""
        labels = found.labels if self.labels is None else self.labels[found.labels]
        found.bboxes, found.labels = found.bboxes / ratio, labels
        return found[labels >= 0]
