"""The sample type: what each stage of the pipeline may read and write."""

from collections.abc import Iterator

import torch
from mmdet.structures import DetDataSample
from mmengine.structures import BaseDataElement, InstanceData
from torch import Tensor


class HOIDataSample(DetDataSample):
    """A detection sample with human-object pairs.

    Fields beside mmdet's ``gt_instances`` (all boxes of the image):

    * ``gt_pairs`` (InstanceData of length P): ``sub_bboxes`` (P, 4), ``obj_bboxes`` (P, 4) as x1, y1, x2, y2 in pixels
      of the augmented image; ``obj_labels`` (P,) long; ``verb_labels`` (P, V) multi-hot float. A pair without object
      has a zero object box and label C, the number of object classes of the data set.
    * ``pred_pairs`` (InstanceData of length Q): ``sub_bboxes``, ``obj_bboxes`` (Q, 4) as x1, y1, x2, y2 in pixels of
      the original image; ``obj_labels`` (Q,) long; ``obj_scores`` (Q,); ``verb_scores`` (Q, V), already times the
      object score where the method does so, or ``hoi_scores`` (Q, H), by which they rank, and ``hoi_probs`` (Q, H)
      in [0, 1], to be shown, with ``hois`` (:class:`HOIClasses`) as metainfo;
      ``queries`` (Q,) long, which of the model's queries each pair came from,
      where the head tells.
    * ``detections`` (InstanceData of length N), where a two-stage model is given boxes: ``bboxes`` (N, 4) in pixels of
      the network's input, ``labels`` (N,), ``scores`` (N,).
    * ``poses`` (InstanceData of length K), where the data set has any: ``keypoints`` (K, 17, 3) x, y, score in pixels
      of the network's input.
    """

    def to(self, *args, **kwargs) -> "HOIDataSample":
        """As in mmengine; a sample all of whose tensors are there already is returned as it is.

        mmengine builds every field anew, which on a CPU takes longer than a small model's matching.
        """
        device = torch.device(args[0]) if len(args) == 1 and isinstance(args[0], str | torch.device) else None
        if device is not None and all(tensor.device == device for tensor in self._tensors()):
            return self
        return super().to(*args, **kwargs)

    def _tensors(self) -> Iterator[Tensor]:
        for field in self.values():
            for value in field.values() if isinstance(field, BaseDataElement) else [field]:
                value = getattr(value, "tensor", value)  # mmdet's box types
                if isinstance(value, Tensor):
                    yield value

    @property
    def gt_pairs(self) -> InstanceData:
        """Labelled pairs."""
        return self._gt_pairs

    @gt_pairs.setter
    def gt_pairs(self, value: InstanceData) -> None:
        self.set_field(value, "_gt_pairs", dtype=InstanceData)

    @gt_pairs.deleter
    def gt_pairs(self) -> None:
        del self._gt_pairs

    @property
    def pred_pairs(self) -> InstanceData:
        """Predicted pairs."""
        return self._pred_pairs

    @pred_pairs.setter
    def pred_pairs(self, value: InstanceData) -> None:
        self.set_field(value, "_pred_pairs", dtype=InstanceData)

    @pred_pairs.deleter
    def pred_pairs(self) -> None:
        del self._pred_pairs


def score_fields(pairs: InstanceData) -> tuple[str, ...]:
    """Names of the fields that hold scores of verbs or HOI classes; pairs rank by the first."""
    return ("hoi_scores", "hoi_probs") if "hoi_scores" in pairs else ("verb_scores",)


def new_pairs(sub_bboxes: Tensor, obj_bboxes: Tensor, obj_labels: Tensor, **fields: Tensor) -> InstanceData:
    """InstanceData of N pairs; unequal lengths are refused when set.

    Args:
        sub_bboxes, obj_bboxes (Tensor): (N, 4) x1, y1, x2, y2.
        obj_labels (Tensor): (N,).
        **fields: more tensors of length N, e.g. ``verb_labels``.
    """
    # Field by field: InstanceData compares each length with those before it.
    pairs = InstanceData(sub_bboxes=sub_bboxes, obj_bboxes=obj_bboxes, obj_labels=obj_labels)
    for name, value in fields.items():
        pairs[name] = value
    return pairs


def scale_of(sample: DetDataSample) -> tuple[float, float]:
    """Width and height of the network's input relative to the original image."""
    (height, width), (ori_height, ori_width) = sample.img_shape[:2], sample.ori_shape[:2]
    return width / ori_width, height / ori_height
