"""Labelled pairs that are to be pointed to: which annotated instances, and so which instance queries, they are."""

from dataclasses import dataclass, fields, replace

import torch
import torch.nn.functional as F
from mmdet.structures import SampleList
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from hqm_mmdet.errors import ConfigError
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
        if not boxes.shape[1]:  # a minimum over no annotation, as pointers take it, does not exist
            boxes, labels = F.pad(boxes, (0, 0, 0, 1)), F.pad(labels, (0, 1), value=-1)
        boxes = xyxy_to_cxcywh(boxes) / pairs.sizes[:, None]
        return cls(boxes, labels, [len(i) for i in instances], pairs.names)

    def equal_to(self, boxes: Tensor, labels: Tensor) -> Tensor:
        """Which annotations equal each given box (B, P, 4) and label (B, P), to the last bit: (B, P, G) bool."""
        # exact: pairs and instances are views of one annotation and went through the same transforms
        return (boxes[:, :, None] == self.boxes[:, None]).all(-1) & (labels[:, :, None] == self.labels[:, None])


@dataclass
class PointedPairs(PairTargets):
    """Labelled pairs and the instance queries that they point to.

    Args:
        sub_pointers, obj_pointers (Tensor): (B, P) long; a pair without object points to its subject twice. -1 (more
            annotations than instance queries): not trained.
        valid_verbs (Tensor): (V,) 0 or 1, verbs that are trained.
    """

    sub_pointers: Tensor
    obj_pointers: Tensor
    valid_verbs: Tensor

    def dummy(self) -> "PointedPairs":
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


@dataclass
class PointerTargets(PairTargets):
    """Labelled pairs, annotated instances, and which of these each subject and object is.

    Args:
        instances (InstanceTargets): annotated instances.
        sub_instances, obj_instances (Tensor): (B, P, G) bool. Several are True where a box was annotated several times;
            a pair without object has its subject twice.
        valid_verbs (Tensor): (V,) 0 or 1, verbs that are trained.
    """

    instances: InstanceTargets
    sub_instances: Tensor
    obj_instances: Tensor
    valid_verbs: Tensor

    @classmethod
    def from_samples(cls, samples: SampleList, subject_label: int, valid_verbs: Tensor) -> "PointerTargets":
        """Gather ``gt_pairs`` and ``gt_instances``, and find the first among the second.

        Args:
            samples (list[HOIDataSample]): with ``gt_pairs`` and ``gt_instances``.
            subject_label (int): label that subjects carry among the instances.
            valid_verbs (Tensor): (V,) 0 or 1.

        Raises:
            ConfigError: a subject or object is not among the instances; names the image.
        """
        pairs = PairTargets.from_samples(samples)
        instances = InstanceTargets.from_samples(samples, pairs)
        sub = instances.equal_to(pairs.sub_boxes, torch.full_like(pairs.obj_labels, subject_label))
        obj = instances.equal_to(pairs.obj_boxes, pairs.obj_labels)
        obj = torch.where(pairs.has_object[..., None], obj, sub)
        missing = ~(sub.any(-1) & obj.any(-1)) & ~pairs.padding_mask
        _check_found(missing, pairs.names, subject_label)
        return cls(**vars(pairs), instances=instances, sub_instances=sub, obj_instances=obj, valid_verbs=valid_verbs)

    def pointed(self, matched: Assignment, num_queries: int) -> PointedPairs:
        """The pairs with the instance queries they point to.

        Args:
            matched (Assignment): the match of instance queries and annotated instances; the last layer counts.
            num_queries (int): I, number of instance queries.
        """
        query_of = torch.full_like(self.instances.labels, num_queries)  # a number beyond all queries: not matched
        query_of[matched.image, matched.target[-1]] = matched.query[-1]
        sub, obj = (_lowest(found, query_of, num_queries) for found in (self.sub_instances, self.obj_instances))
        pairs = {field.name: getattr(self, field.name) for field in fields(PairTargets)}
        return PointedPairs(**pairs, sub_pointers=sub, obj_pointers=obj, valid_verbs=self.valid_verbs)


@dataclass
class PointerAssignment(Assignment):
    """Which query stands for which labelled pair, and what those pairs point to.

    Args:
        pairs (PointedPairs): the labelled pairs.
        instances (Assignment): which instance query stands for which annotated instance.
    """

    pairs: PointedPairs
    instances: Assignment


def _lowest(found: Tensor, query_of: Tensor, num_queries: int) -> Tensor:
    """(B, P, G) bool and (B, G) queries -> (B, P) lowest query of the annotations found; -1 if none has one.

    Annotations that are equal to each other are one, so one of their queries stands for all.
    """
    query = torch.where(found, query_of[:, None], num_queries).amin(-1)
    return query.masked_fill(query >= num_queries, -1)


def _check_found(missing: Tensor, names: list[str], subject_label: int) -> None:
    if not missing.any():  # a host synchronisation; the price of a message instead of a silently wrong pointer
        return
    image, pair = missing.nonzero()[0].tolist()
    raise ConfigError(
        f"{names[image]}: subject or object of pair {pair} is not among gt_instances. Both need equal boxes and labels "
        f"there, a subject the label {subject_label}: a subject that is no person does not fit this model (`hqm-mmdet "
        "check-data` lists them), take such HOIs out or set bbox_head.subject_label. Boxes are loaded by "
        "LoadHOIAnnotations and packed by PackHOIInputs."
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
