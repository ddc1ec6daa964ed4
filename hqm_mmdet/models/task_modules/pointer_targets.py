"""Which instance query each labelled pair has to point to."""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from mmdet.structures import SampleList
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from hqm_mmdet.structures import HOIDataSample, xyxy_to_cxcywh

from .matcher import Assignment
from .targets import PaddedTargets, PairTargets


@dataclass
class InstanceTargets(PaddedTargets):
    """Annotated instances of B images, padded to G, the largest number (at least 1).

    Args:
        boxes (Tensor): (B, G, 4) centre x, centre y, width, height, relative to the image itself.
        labels (Tensor): (B, G) long, object labels; -1 for padding.
        counts (list[int]): instances of each image.
        names (list[str]): file of each image, for messages.
    """

    boxes: Tensor
    labels: Tensor
    counts: list[int]
    names: list[str]

    @classmethod
    def from_samples(cls, samples: SampleList, pairs: PairTargets) -> "InstanceTargets":
        """Gather ``gt_instances`` (pixels of the augmented image); image sizes and names are those of the pairs."""
        instances = [sample.gt_instances for sample in samples]
        boxes = pad_sequence([i.bboxes for i in instances], batch_first=True)
        labels = pad_sequence([i.labels for i in instances], batch_first=True, padding_value=-1)
        if not boxes.shape[1]:
            boxes, labels = F.pad(boxes, (0, 0, 0, 1)), F.pad(labels, (0, 1), value=-1)
        boxes = xyxy_to_cxcywh(boxes) / pairs.sizes[:, None]
        return cls(boxes, labels, [len(i) for i in instances], pairs.names)

    def queries_of(self, boxes: Tensor, labels: Tensor, query_of: Tensor) -> Tensor:
        """Query of the annotation that equals each given one, in box and label to the last bit.

        Annotations that are equal to each other are one; the lowest of their queries stands for all.

        Args:
            boxes (Tensor): (B, P, 4) as ``self.boxes``.
            labels (Tensor): (B, P).
            query_of (Tensor): (B, G) long, query matched to each annotation, a number beyond all queries if none was.

        Returns:
            Tensor: (B, P) long; -1 where there is no equal annotation.
        """
        equal = (boxes[:, :, None] == self.boxes[:, None]).all(-1) & (labels[:, :, None] == self.labels[:, None])
        query = torch.where(equal, query_of[:, None], query_of.new_tensor(torch.iinfo(torch.long).max)).amin(-1)
        return query.masked_fill(~equal.any(-1), -1)


@dataclass
class PointerTargets(PairTargets):
    """Pairs with the instance queries that their subject and object stand at.

    Args:
        sub_pointers, obj_pointers (Tensor): (B, P) long; a pair without object points to its subject twice. -1 (more
            annotations than instance queries): not trained.
        valid_verbs (Tensor): (V,) 0 or 1, verbs that are trained.
        instances (InstanceTargets, optional): annotated instances.
        instances_assigned (Assignment, optional): which instance query stands for which of them.
    """

    sub_pointers: Tensor
    obj_pointers: Tensor
    valid_verbs: Tensor
    instances: InstanceTargets | None = None
    instances_assigned: Assignment | None = None

    @classmethod
    def locate(
        cls,
        pairs: PairTargets,
        instances: InstanceTargets,
        assigned: Assignment,
        num_queries: int,
        subject_label: int,
        valid_verbs: Tensor,
    ) -> "PointerTargets":
        """Look up the pairs' subjects and objects among the annotated instances.

        Args:
            pairs (PairTargets): labelled pairs.
            instances (InstanceTargets): annotated instances.
            assigned (Assignment): the instance queries' match; the last layer counts.
            num_queries (int): I, number of instance queries.
            subject_label (int): label that subjects carry among the instances.
            valid_verbs (Tensor): (V,) 0 or 1.

        Raises:
            ValueError: a subject or object is not among the instances; names the image.
        """
        query_of = torch.full_like(instances.labels, num_queries)
        query_of[assigned.image, assigned.target[-1]] = assigned.query[-1]
        subject = torch.full_like(pairs.obj_labels, subject_label)
        sub = instances.queries_of(pairs.sub_boxes, subject, query_of)
        obj = instances.queries_of(pairs.obj_boxes, pairs.obj_labels, query_of)
        obj = torch.where(pairs.has_object, obj, sub)
        _check_found((sub.minimum(obj) < 0) & ~pairs.padding_mask, pairs.names, subject_label)
        sub, obj = (pointers.masked_fill(pointers >= num_queries, -1) for pointers in (sub, obj))
        return cls(
            **vars(pairs),
            sub_pointers=sub,
            obj_pointers=obj,
            valid_verbs=valid_verbs,
            instances=instances,
            instances_assigned=assigned,
        )

    def dummy(self) -> "PointerTargets":
        """One pair per image as the official code gives to images without any: no verb, no class, no pointers."""
        num_images, device = len(self.counts), self.obj_labels.device
        zeros = torch.zeros(num_images, 1, 4, device=device)
        pointers = torch.full((num_images, 1), -1, device=device)
        return replace(
            self,
            sub_boxes=zeros,
            obj_boxes=zeros,
            obj_labels=torch.zeros_like(pointers),
            verb_labels=zeros.new_zeros(num_images, 1, self.verb_labels.shape[-1]),
            counts=[1] * num_images,
            sub_pointers=pointers,
            obj_pointers=pointers,
        )


def _check_found(missing: Tensor, names: list[str], subject_label: int) -> None:
    if not missing.any():  # a host synchronisation; the price of a message instead of a silently wrong pointer
        return
    image, pair = missing.nonzero()[0].tolist()
    raise ValueError(
        f"{names[image]}: subject or object of pair {pair} is not among gt_instances. Both need equal boxes and labels "
        f"there (a subject the label {subject_label}): load boxes with LoadHOIAnnotations and pack with PackHOIInputs, "
        "or set bbox_head.subject_label."
    )


def drop_verbs(samples: SampleList, valid_verbs: Tensor) -> SampleList:
    """Copies of the samples whose pairs lack some verbs; pairs left without a verb vanish, and only those.

    Args:
        samples (list[HOIDataSample]): with ``gt_pairs``.
        valid_verbs (Tensor): (V,) 0 or 1.

    Returns:
        list[HOIDataSample]: metainfo, ``gt_instances`` and the remaining ``gt_pairs``.
    """
    labels = [sample.gt_pairs.verb_labels * valid_verbs for sample in samples]
    keep = torch.cat([rows.any(-1) for rows in labels]).cpu().split([len(rows) for rows in labels])
    kept = []
    for sample, rows, chosen in zip(samples, labels, keep, strict=True):
        pairs = sample.gt_pairs.clone()
        pairs.verb_labels = rows
        copy = HOIDataSample(metainfo=sample.metainfo, gt_instances=sample.gt_instances)
        copy.gt_pairs = pairs[chosen.nonzero().flatten().to(rows.device)]
        kept.append(copy)
    return kept
