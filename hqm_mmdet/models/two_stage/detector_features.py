"""Instances of any mmdet detector with features, and its maps: what UPT and PViC read."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from mmcv.cnn.bricks import DropPath
from mmdet.structures import SampleList
from mmengine.structures import InstanceData
from torch import Tensor, nn

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.registry import MODELS
from hqm_mmdet.structures import HOIDataSample

from .detector_instances import DetectorInstances, plain_sample
from .feature_readers import read_queries, reader_of
from .scene_cache import SceneCache, Seen
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
        cache (str | Path, optional): folder where what the detector sees is kept, for data sets that are read without
            augmentation: an augmented image is new each time. Hard pairs then have the features of candidates, as with
            query detectors. Default None: nothing is kept.

    Raises:
        ConfigError: a detector of an unknown kind, or options that exclude each other.
        FileNotFoundError, CheckpointError, ClassNameError: as in :class:`DetectorInstances`.
    """

    def __init__(
        self,
        *args,
        map_levels: Sequence[int] = (-1,),
        padded_batches: bool = False,
        active_dropout: bool = False,
        official_feature_index: bool = False,
        cache: str | Path | None = None,
        **kwargs,
    ):
        super().__init__(*args, **kwargs)
        self.reader = reader_of(self.detector)
        if official_feature_index and self.reader is not read_queries:
            raise ConfigError("official_feature_index is about query detectors, which this one is not.")
        self.official_feature_index = official_feature_index
        if official_feature_index:
            self.reader = partial(read_queries, official_index=True)
        if cache and (padded_batches or active_dropout or not self.frozen):
            raise ConfigError(
                "instances.cache keeps what a frozen detector sees in an image alone: leave out padded_batches, "
                "active_dropout and frozen=False."
            )
        self.map_levels, self.padded_batches = tuple(map_levels), padded_batches
        self.active_dropout = active_dropout
        description = f"{self.description} {self.map_levels} {official_feature_index}"
        self.cache = SceneCache(cache, self.detector.state_dict, description) if cache else None
        self.register_load_state_dict_post_hook(_forget_weights)

    def init_weights(self) -> None:
        """As in :class:`DetectorInstances`."""
        super().init_weights()
        _forget_weights(self, None)

    def forward(self, batch_inputs: Tensor, batch_data_samples: SampleList, preprocessor: nn.Module) -> list[Scene]:
        """What the detector sees in each image; arguments as in :mod:`~.instances`."""
        resized = [self._resized(each) for each in self._images(batch_inputs, batch_data_samples, preprocessor)]
        images, ratios = zip(*resized, strict=True)
        sizes = [(0, 0) if self.padded_batches else tuple(image.shape[1:]) for image in images]
        scenes: list[Scene | None] = [None] * len(images)
        training, random = self.detector.training, self.training and self.active_dropout
        self._set_mode(random)
        for rows in of_equal_size(sizes):
            for row, (seen, pool) in zip(rows, self._seen([images[row] for row in rows]), strict=True):
                scenes[row] = self._scene(seen, pool, ratios[row], batch_data_samples[row])
        self.detector.train(training)
        return scenes

    def _set_mode(self, random: bool) -> None:
        self.detector.eval()
        if random:
            for module in self.detector.modules():
                if isinstance(module, RANDOM_LAYERS):
                    module.training = True

    def _seen(self, images: Sequence[Tensor]) -> list[tuple[Seen, Callable | None]]:
        """As :meth:`_see`, out of the cache where there is one."""
        if self.cache is None:
            return self._see(images)
        return [(seen, None) for seen in self.cache(images, lambda new: [each for each, _ in self._see(new)])]

    @torch.no_grad()
    def _see(self, images: Sequence[Tensor]) -> list[tuple[Seen, Callable | None]]:
        """What the detector makes of each image (3, h, w) of a batch, in its own frame; features of any boxes."""
        samples = [plain_sample(tuple(image.shape[1:])) for image in images]
        data = self.detector.data_preprocessor(dict(inputs=list(images), data_samples=samples))
        inputs, samples = data["inputs"], data["data_samples"]
        with torch.autocast(inputs.device.type, enabled=False):  # half precision has no digits for coordinates
            maps = self.detector.backbone(inputs)
            feats = self.detector.neck(maps) if self.detector.with_neck else maps
            found, pool = self.reader(self.detector, feats, samples)
        chosen, result = [maps[level] for level in self.map_levels], []
        for i, (instances, sample) in enumerate(zip(found, samples, strict=True)):
            own = [each[i] for each in chosen]
            padding = padding_of(sample.img_shape[:2], tuple(inputs.shape[-2:]), own)
            seen = dict(instances.items())
            seen |= {f"map{level}": each for level, each in enumerate(own)}
            seen |= {f"padding{level}": each for level, each in enumerate(padding)}
            result.append((seen, None if pool is None else partial(self._pool, pool, i, len(found))))
        return result

    @torch.no_grad()
    def _pool(self, pool: Callable, image: int, num_images: int, boxes: Tensor, labels: Tensor) -> Tensor:
        """Features of boxes (n, 4) of an image of a batch, in the detector's frame, with its labels (n,)."""
        of_all = [(boxes, labels) if i == image else (boxes[:0], labels[:0]) for i in range(num_images)]
        with torch.autocast(boxes.device.type, enabled=False):
            return pool(*zip(*of_all, strict=True))

    def _in_host_s_terms(self, pool: Callable, ratio: float, boxes: Tensor, labels: Tensor) -> Tensor:
        """The same of boxes in the host's frame, with labels of the data set."""
        if self.labels is not None:
            labels = (self.labels == labels[:, None]).long().argmax(1)
        return pool(boxes * ratio, labels)

    def _scene(self, seen: Seen, pool: Callable | None, ratio: float, sample: HOIDataSample) -> Scene:
        """Known classes, labels of the data set, boxes of the host's frame."""
        labels = seen["labels"] if self.labels is None else self.labels[seen["labels"]]
        values = {name: seen[name] for name in ("scores", "features")}
        found = InstanceData(bboxes=seen["bboxes"] / ratio, labels=labels, **values)
        maps, padding = (
            tuple(seen[f"{name}{level}"] for level in range(len(self.map_levels))) for name in ("map", "padding")
        )
        name, size = sample.get("img_path", "an image"), sample.img_shape[:2]
        features_of = None if pool is None else partial(self._in_host_s_terms, pool, ratio)
        return Scene(found[labels >= 0], maps, padding, size, name, features_of)


def _forget_weights(provider: DetectorFeatures, _) -> None:
    if provider.cache is not None:
        provider.cache.forget_weights()
