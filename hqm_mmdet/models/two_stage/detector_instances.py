"""Boxes of any mmdet detector, found while a two-stage model runs."""

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from mmdet.structures import DetDataSample, SampleList
from mmengine.config import Config
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from torch import Tensor, nn

from hqm_mmdet.checkpoints.files import Checkpoint
from hqm_mmdet.checkpoints.loading import load_weights
from hqm_mmdet.models.interactiveness import raw_images
from hqm_mmdet.registry import MODELS
from hqm_mmdet.structures import ClassNameError, match_class_names


@MODELS.register_module()
class DetectorInstances(BaseModule):
    """A detector of mmdet's, run once per image.

    It gets the image as its own preprocessor wants it, whatever the host's normalisation is.

    Args:
        detector (dict | str | Path): a model config, or a config file that holds one.
        checkpoint (str | Path, optional): weights; read without running code that the file may hold. Default None: the
            host's checkpoint has them.
        classes (Sequence[str], optional): object classes of the data set. Default None: the detector's labels are the
            data set's.
        detector_classes (Sequence[str], optional): names of the detector's labels. Default: as its checkpoint says.
        scale (tuple[int, int], optional): the image is resized to fit into longer and shorter side first. Default
            None: it stays as the host sees it.
        frozen (bool): evaluation mode and no gradients. Default: True.

    Raises:
        FileNotFoundError: no such config or checkpoint.
        CheckpointError: the checkpoint is damaged or does not fit.
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
    ):
        super().__init__()
        self.detector = MODELS.build(detector if isinstance(detector, dict) else _model_of_file(Path(detector)))
        self.scale, self.frozen = scale, frozen
        meta = {}
        if checkpoint is not None:
            stored = Checkpoint.read(checkpoint)
            load_weights(self.detector, stored.state, stored.name)
            meta = stored.meta.get("dataset_meta", {})
        labels = None
        if classes is not None:
            detector_classes = detector_classes or meta.get("classes") or meta.get("CLASSES")
            if detector_classes is None:
                raise ClassNameError(f"{checkpoint or detector} names no classes; set instances.detector_classes.")
            labels = match_class_names(classes, detector_classes)
        self.register_buffer("labels", None if labels is None else torch.tensor(labels), persistent=False)
        if frozen:
            self.detector.requires_grad_(False)

    def train(self, mode: bool = True) -> "DetectorInstances":
        """A frozen detector stays in evaluation mode."""
        super().train(mode)
        if self.frozen:
            self.detector.eval()
        return self

    def forward(self, batch_inputs: Tensor, batch_data_samples: SampleList, preprocessor: nn.Module):
        """See :mod:`~.instances`."""
        images = raw_images(batch_inputs, preprocessor)
        shapes = [sample.img_shape[:2] for sample in batch_data_samples]
        return [self._detect(image[:, :h, :w]) for image, (h, w) in zip(images, shapes, strict=True)]

    @torch.no_grad()
    def _detect(self, image: Tensor) -> InstanceData:
        """Boxes in pixels of ``image`` (3, H, W)."""
        ratio = 1.0
        if self.scale is not None:
            long, short = max(self.scale), min(self.scale)
            ratio = min(long / max(image.shape[1:]), short / min(image.shape[1:]))
            size = [round(side * ratio) for side in image.shape[1:]]
            image = F.interpolate(image[None], size, mode="bilinear", antialias=True)[0]
        shape = tuple(image.shape[1:])
        sample = DetDataSample(metainfo=dict(img_shape=shape, ori_shape=shape, scale_factor=(1.0, 1.0)))
        data = self.detector.data_preprocessor(dict(inputs=[image], data_samples=[sample]))
        (found,) = self.detector.predict(data["inputs"], data["data_samples"], rescale=False)
        found = found.pred_instances
        labels = found.labels if self.labels is None else self.labels[found.labels]
        known = labels >= 0
        boxes = getattr(found.bboxes, "tensor", found.bboxes)
        return InstanceData(bboxes=boxes[known] / ratio, labels=labels[known], scores=found.scores[known])


def _model_of_file(path: Path) -> dict:
    if not path.is_file():
        raise FileNotFoundError(f"Config {path} of the detector does not exist.")
    return Config.fromfile(path).model
