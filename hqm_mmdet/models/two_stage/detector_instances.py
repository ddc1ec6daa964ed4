"""Boxes of any mmdet detector, found while a two-stage model runs; the detector may learn with it."""

import copy
from collections.abc import Sequence
from pathlib import Path

import mmdet
import torch
import torch.nn.functional as F
from mmdet.models.detectors import RTMDet
from mmdet.structures import DetDataSample, SampleList
from mmengine.config import Config
from mmengine.model import BaseModule
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData
from torch import Tensor, nn

from hqm_mmdet.checkpoints.files import Checkpoint
from hqm_mmdet.checkpoints.loading import load_weights
from hqm_mmdet.models.interactiveness import raw_images
from hqm_mmdet.registry import DATASETS, MODELS, SCOPE
from hqm_mmdet.structures import ClassNameError, match_class_names


@MODELS.register_module()
class DetectorInstances(BaseModule):
    """A detector of mmdet's, run once per image.

    It gets the image as its own preprocessor wants it, whatever the host's normalisation is. Boxes carry no gradient.
    With ``frozen=False`` the detector learns beside the pairs, from its own losses on the annotated boxes; it then sees
    an image twice, to find boxes in evaluation mode and to learn. Unannotated objects count as background there.

    Args:
        detector (dict | str | Path): a model config, or a config file that holds one; names of mmdet's own, such as
            ``faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py``, will do.
        checkpoint (str | Path, optional): weights; read when training starts, without running code that the file may
            hold. Default None: the host's checkpoint has them.
        classes (Sequence[str], optional): object classes of the data set. Default None: the detector's labels are the
            data set's.
        detector_classes (Sequence[str], optional): names of the detector's labels. Default: as its checkpoint says, or
            the config file or its data set.
        scale (tuple[int, int], optional): the image is resized to fit into longer and shorter side first. Default
            None: it stays as the host sees it.
        frozen (bool): evaluation mode, and nothing learns. Default: True.
        loss_weight (float): of the detector's own losses, unless it is frozen. Default: 1.

    Raises:
        FileNotFoundError: no such config.
        ClassNameError: the detector lacks classes of the data set, or does not tell its classes.
    """

    def __init__(
        self,
        detector: dict | str | Path,
        checkpoint: str | Path | None = None,
        classes: Sequence[str] | None = None,
        detector_classes: Sequence[str] | None = None,
        scale: tuple[int, int] | None = None,
        frozen: bool = True,
        loss_weight: float = 1.0,
    ):
        super().__init__()
        config = None if isinstance(detector, dict) else _config_of(Path(detector))
        detector = detector if config is None else config.model
        with DefaultScope.overwrite_default_scope(SCOPE):  # parts that mmdet looks up without saying where
            # A copy: DETR's head puts tensors into its config, which nobody could read out of a checkpoint.
            self.detector = MODELS.build(copy.deepcopy(detector))
        if isinstance(self.detector, RTMDet) and self.detector.data_preprocessor.pad_size_divisor == 1:
            # Its neck joins maps that only fit then. mmdet pads in its pipelines, which do not run here.
            self.detector.data_preprocessor.pad_size_divisor = 32
        self.scale, self.frozen, self.loss_weight = scale, frozen, loss_weight
        self.checkpoint, self.description = checkpoint, repr(detector)
        labels = None
        if classes is not None:
            detector_classes = detector_classes or self._stored_classes() or _classes_of(config)
            if detector_classes is None:
                raise ClassNameError(
                    f"{checkpoint or 'The detector'} names no classes; set instances.detector_classes."
                )
            labels = match_class_names(classes, detector_classes)
        self.register_buffer("labels", None if labels is None else torch.tensor(labels), persistent=False)
        if frozen:
            self.detector.requires_grad_(False)

    def _stored_classes(self) -> Sequence[str] | None:
        """Names of labels as the detector's checkpoint has them."""
        if self.checkpoint is None:
            return None
        meta = Checkpoint.read(self.checkpoint).meta.get("dataset_meta", {})
        return meta.get("classes") or meta.get("CLASSES")

    @property
    def required_parameters(self) -> tuple[str, ...]:
        """Prefixes of parameters that a host's checkpoint must give."""
        return ("detector.",) if self.frozen and self.checkpoint is None else ()

    def init_weights(self) -> None:
        """The detector's checkpoint, if it has one of its own; else, unless it is frozen, its initialisation.

        Raises:
            FileNotFoundError: no such checkpoint.
            CheckpointError: it is damaged or does not fit.
        """
        if self.checkpoint is not None:
            stored = Checkpoint.read(self.checkpoint)
            load_weights(self.detector, stored.state, stored.name)
        elif not self.frozen:
            super().init_weights()

    def train(self, mode: bool = True) -> "DetectorInstances":
        """A frozen detector stays in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.detector.eval()
        return self

    def forward(self, batch_inputs: Tensor, batch_data_samples: SampleList, preprocessor: nn.Module):
        """See :mod:`~.instances`."""
        images = self._images(batch_inputs, batch_data_samples, preprocessor)
        training = self.detector.training
        self.detector.eval()
        found = [self._detect(image) for image in images]
        self.detector.train(training)
        return found

    def loss(
        self, batch_inputs: Tensor, batch_data_samples: SampleList, preprocessor: nn.Module
    ) -> dict[str, Tensor | list[Tensor]]:
        """The detector's own loss terms on ``gt_instances``, named ``instances.*``; none of a frozen one."""
        if self.frozen:
            return {}
        inputs, samples = [], []
        images = self._images(batch_inputs, batch_data_samples, preprocessor)
        for image, sample in zip(images, batch_data_samples, strict=True):
            image, ratio = self._resized(image)
            inputs.append(image)
            samples.append(self._labelled(sample.gt_instances, tuple(image.shape[1:]), ratio))
        data = self.detector.data_preprocessor(dict(inputs=inputs, data_samples=samples), True)
        terms = self.detector.loss(data["inputs"], data["data_samples"])
        return {f"instances.{name}": self._weighted(name, value) for name, value in terms.items()}

    def _weighted(self, name: str, value: Tensor | list[Tensor]) -> Tensor | list[Tensor]:
        if "loss" not in name:  # an accuracy, which mmdet only logs
            return value
        return [self.loss_weight * part for part in value] if isinstance(value, list) else self.loss_weight * value

    @staticmethod
    def _images(batch_inputs: Tensor, batch_data_samples: SampleList, preprocessor: nn.Module) -> list[Tensor]:
        """(3, h, w) each, in [0, 255], without padding."""
        shapes = [sample.img_shape[:2] for sample in batch_data_samples]
        return [image[:, :h, :w] for image, (h, w) in zip(raw_images(batch_inputs, preprocessor), shapes, strict=True)]

    def _resized(self, image: Tensor) -> tuple[Tensor, float]:
        """The image as the detector wants it, and by what it grew."""
        if self.scale is None:
            return image, 1.0
        ratio = min(max(self.scale) / max(image.shape[1:]), min(self.scale) / min(image.shape[1:]))
        size = [round(side * ratio) for side in image.shape[1:]]
        return F.interpolate(image[None], size, mode="bilinear", antialias=True)[0], ratio

    @torch.no_grad()
    def _detect(self, image: Tensor) -> InstanceData:
        """Boxes in pixels of ``image`` (3, H, W)."""
        image, ratio = self._resized(image)
        data = self.detector.data_preprocessor(
            dict(inputs=[image], data_samples=[plain_sample(tuple(image.shape[1:]))])
        )
        (found,) = self.detector.predict(data["inputs"], data["data_samples"], rescale=False)
        found = found.pred_instances
        labels = found.labels if self.labels is None else self.labels[found.labels]
        known = labels >= 0
        return InstanceData(
            bboxes=_tensor(found.bboxes)[known] / ratio, labels=labels[known], scores=found.scores[known]
        )

    def _labelled(self, annotated: InstanceData, shape: tuple[int, int], ratio: float) -> DetDataSample:
        """What the detector learns from: boxes of the host's frame and labels of the data set, as it knows them."""
        labels = annotated.labels
        if self.labels is not None:
            labels = (self.labels == labels[:, None]).long().argmax(1)
        sample = plain_sample(shape)
        sample.gt_instances = InstanceData(bboxes=_tensor(annotated.bboxes) * ratio, labels=labels)
        sample.ignored_instances = sample.gt_instances[:0]
        return sample


def plain_sample(shape: tuple[int, int]) -> DetDataSample:
    """A sample of mmdet's for an image of a height and width that was not resized."""
    return DetDataSample(metainfo=dict(img_shape=shape, ori_shape=shape, scale_factor=(1.0, 1.0)))


def _tensor(boxes) -> Tensor:
    """Of mmdet's box types, or a tensor as it is."""
    return getattr(boxes, "tensor", boxes)


def _config_of(path: Path) -> Config:
    """A config file, or one of those that mmdet brings along."""
    shipped = Path(mmdet.__file__).parent / ".mim" / "configs" / path
    for file in (path, shipped):
        if file.is_file():
            return Config.fromfile(file)
    raise FileNotFoundError(f"Config {path} of the detector does not exist, neither there nor in {shipped.parent}.")


def _classes_of(config: Config | None) -> Sequence[str] | None:
    """Names of labels as a detector's config has them, or the data set that it names."""
    if config is None:
        return None
    named = config.get("metainfo", {}).get("classes")
    dataset = DATASETS.get(config.get("dataset_type", ""))
    return named or getattr(dataset, "METAINFO", {}).get("classes")
