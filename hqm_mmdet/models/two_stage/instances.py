"""Where a two-stage detector's boxes come from.

A provider gets a batch as the network does, (B, 3, H, W) with its samples, and the preprocessor that normalised it. It
gives an InstanceData per image:
``bboxes`` (N, 4) x1, y1, x2, y2 in pixels of the network's input, ``labels`` (N,) of the data set, ``scores`` (N,). Its
``loss`` is what it learns from by itself, which is nothing unless it holds a detector that is not frozen.
"""

import torch
from mmdet.structures import SampleList
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from torch import Tensor, nn

from hqm_mmdet.errors import UserError
from hqm_mmdet.registry import MODELS
from hqm_mmdet.structures import HOIDataSample, scale_of


class MissingDetections(UserError, KeyError):
    """An image came without boxes; the message says how to give them."""

    def __str__(self) -> str:
        return str(self.args[0])


class GivenInstances(BaseModule):
    """Boxes that come with the samples."""

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList, preprocessor: nn.Module) -> dict[str, Tensor]:
        """There is nothing to learn."""
        return {}


@MODELS.register_module()
class StoredInstances(GivenInstances):
    """Boxes that the data set read from a detection file (``dataset.detections``)."""

    def forward(
        self, batch_inputs: Tensor, batch_data_samples: SampleList, preprocessor: nn.Module
    ) -> list[InstanceData]:
        """See :mod:`~.instances`.

        Raises:
            MissingDetections: a sample has none.
        """
        for sample in batch_data_samples:
            if "detections" not in sample:
                raise MissingDetections(
                    f"{sample.get('img_path', 'An image')}: no detections. Set dataset.detections to a file that "
                    "tools/detect.py made, or model.instances to a detector."
                )
        return [sample.detections.to(batch_inputs.device) for sample in batch_data_samples]


@MODELS.register_module()
class AnnotatedInstances(GivenInstances):
    """The annotated boxes with score 1: for training without a detector, and for testing a head alone."""

    def forward(
        self, batch_inputs: Tensor, batch_data_samples: SampleList, preprocessor: nn.Module
    ) -> list[InstanceData]:
        """See :mod:`~.instances`. In testing, annotations are in the original image's frame, and are brought here.

        Raises:
            MissingDetections: a sample has no annotation.
        """
        return [self._annotated(sample, batch_inputs.device) for sample in batch_data_samples]

    def _annotated(self, sample: HOIDataSample, device: torch.device) -> InstanceData:
        if ("gt_instances" if self.training else "gt_hois") not in sample:
            raise MissingDetections(
                f"{sample.get('img_path', 'An image')}: no annotations, and AnnotatedInstances has no other boxes. Set "
                "model.instances to StoredInstances or DetectorInstances for images of one's own."
            )
        if self.training:
            boxes, labels = sample.gt_instances.bboxes, sample.gt_instances.labels
            boxes = getattr(boxes, "tensor", boxes).to(device).float()
        else:
            boxes, labels = (torch.as_tensor(sample.gt_hois[name], device=device) for name in ("boxes", "labels"))
            boxes = boxes.float() * boxes.new_tensor(scale_of(sample), dtype=torch.float32).repeat(2)
        return InstanceData(bboxes=boxes, labels=labels.to(device), scores=torch.ones_like(boxes[:, 0]))
