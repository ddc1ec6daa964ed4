"""Labelled pairs of a batch as padded tensors."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from mmdet.structures import SampleList
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from hqm_mmdet.structures import HOIClasses, xyxy_to_cxcywh


class PaddedTargets:
    """Annotations of B images, each field a tensor (B, P, ...) padded along P."""

    def gather(self, name: str, image: Tensor, target: Tensor) -> Tensor:
        """Rows ``[image, target]`` of a field: (..., M) indices -> (..., M, *field)."""
        field: Tensor = getattr(self, name)
        if not field.shape[1]:  # no image has any: there is nothing to index, but the shape is owed
            return field.new_zeros(*target.shape, *field.shape[2:])
        return field[image, target]


@dataclass
class PairTargets(PaddedTargets):
    """Ground truth of B images, padded to P, the largest number of pairs.

    Args:
        sub_boxes, obj_boxes (Tensor): (B, P, 4) centre x, centre y, width, height, relative to the image itself (not to
            the padded batch). An absent object is a zero box.
        obj_labels (Tensor): (B, P) long.
        verb_labels (Tensor): (B, P, V) float, 0 or 1.
        sizes (Tensor): (B, 4) width, height, width, height of each image without padding, pixels.
        counts (list[int]): pairs of each image.
        names (list[str]): file of each image, for messages.
    """

    sub_boxes: Tensor
    obj_boxes: Tensor
    obj_labels: Tensor
    verb_labels: Tensor
    sizes: Tensor
    counts: list[int]
    names: list[str]

    @property
    def has_object(self) -> Tensor:
        """(B, P) bool, False for an absent object (and for padding)."""
        return (self.obj_boxes != 0).any(-1)

    @property
    def num_pairs(self) -> float | Tensor:
        """Labelled pairs of the batch."""
        return float(sum(self.counts))

    @property
    def is_padded(self) -> bool:
        """Whether images differ in their number of pairs."""
        return min(self.counts) < self.obj_labels.shape[1]

    @property
    def padding_mask(self) -> Tensor:
        """(B, P) bool, True beyond an image's number of pairs."""
        beyond = np.arange(self.obj_labels.shape[1]) >= np.array(self.counts)[:, None]
        return torch.from_numpy(beyond).to(self.obj_labels.device, non_blocking=True)

    def to(self, device: torch.device) -> "PairTargets":
        """The same on ``device``, in one copy that nothing waits for."""
        if self.obj_labels.device == device:
            return self
        fields = {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}
        # labels are small whole numbers, which float32 holds exactly
        packed = torch.cat([value.flatten().float() for value in fields.values()])
        packed = packed.pin_memory() if device.type == "cuda" else packed
        parts = packed.to(device, non_blocking=True).split([value.numel() for value in fields.values()])
        moved = zip(fields.items(), parts, strict=True)
        return replace(self, **{name: part.view(value.shape).to(value.dtype) for (name, value), part in moved})

    @classmethod
    def from_samples(cls, samples: SampleList) -> "PairTargets":
        """Gather ``gt_pairs`` (pixels of the augmented image) of HOIDataSamples, where these lie."""
        pairs = [sample.gt_pairs for sample in samples]
        sizes = [(w, h, w, h) for h, w in (sample.img_shape[:2] for sample in samples)]
        sizes = torch.tensor(sizes, dtype=torch.float32).to(pairs[0].sub_bboxes.device, non_blocking=True)

        def padded(name: str) -> Tensor:
            return pad_sequence([getattr(p, name) for p in pairs], batch_first=True)

        # boxes are relative to the image without padding, as predictions are: a batch's padding moves no box
        return cls(
            sub_boxes=xyxy_to_cxcywh(padded("sub_bboxes")) / sizes[:, None],
            obj_boxes=xyxy_to_cxcywh(padded("obj_bboxes")) / sizes[:, None],
            obj_labels=padded("obj_labels"),
            verb_labels=padded("verb_labels"),
            sizes=sizes,
            counts=[len(p) for p in pairs],
            names=[str(sample.get("img_path", f"image {i} of the batch")) for i, sample in enumerate(samples)],
        )


@dataclass
class HOITargets(PairTargets):
    """Labelled pairs for heads that score HOI classes.

    Args:
        hoi_labels (Tensor): (B, P, H) float, 0 or 1.
    """

    hoi_labels: Tensor

    @classmethod
    def of(cls, targets: PairTargets, hois: HOIClasses) -> "HOITargets":
        """The same pairs, labelled with those of ``hois`` that their verbs and object make."""
        return cls(**vars(targets), hoi_labels=hois.labels(targets.obj_labels, targets.verb_labels))
