"""Rows of a verb classifier by visual semantic arithmetic (HOICLIP, section 3.4)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from hqm_mmdet.structures import HOIClasses


@dataclass(frozen=True)
class Crop:
    """A part of an image, and which sums its embedding belongs to.

    Args:
        box (tuple): x1, y1, x2, y2 in pixels.
        kind (str): ``hoi`` or ``object``.
        label (int): HOI class or object label.
        weight (float): share of its embedding in the sum.
    """

    box: tuple[float, float, float, float]
    kind: str
    label: int
    weight: float = 1.0


def crops_of_pairs(
    boxes: Sequence, labels: Sequence[int], pairs: Sequence[tuple[int, int, list[int]]], hois: HOIClasses
) -> list[Crop]:
    """Crops of one image: each pair's union for its HOI classes, its object, and its subject as a person.

    Subjects share the weight 1 of their image, as in the official code; there, further pairs with a class that the
    image already had are lost by accident, here they count.

    Args:
        boxes, labels (Sequence): of the image's instances.
        pairs (Sequence): (subject, object, verbs), indices of instances; object -1 is absent, and the union the person.
        hois (HOIClasses): classes; combinations that are none are left out.
    """
    numbers = {pair: i for i, pair in enumerate(zip(hois.verbs, hois.objects, strict=True))}
    absent, crops = len(hois.object_names), []
    for subject, obj, verbs in pairs:
        label = labels[obj] if obj >= 0 else absent
        x1, y1, x2, y2 = zip(boxes[subject], boxes[obj if obj >= 0 else subject], strict=True)
        union = (min(x1), min(y1), max(x2), max(y2))
        crops += [Crop(union, "hoi", numbers[verb, label]) for verb in verbs if (verb, label) in numbers]
        crops += [Crop(tuple(boxes[obj]), "object", label)] if obj >= 0 else []
        crops.append(Crop(tuple(boxes[subject]), "object", labels[subject], 1 / len(pairs)))
    return crops


@dataclass
class VerbSums:
    """Sums of embeddings over a training set.

    Args:
        hois (Tensor): (H, e) of unions.
        objects (Tensor): (C, e) of objects, persons as subjects included.
    """

    hois: Tensor
    objects: Tensor

    @classmethod
    def empty(cls, hois: HOIClasses, dims: int) -> "VerbSums":
        """Nothing seen yet."""
        return cls(torch.zeros(len(hois), dims), torch.zeros(len(hois.object_names), dims))

    def add(self, crops: Sequence[Crop], embeds: Tensor) -> None:
        """Add crops and their embeddings (n, e), which count with length 1."""
        embeds = F.normalize(embeds.float().cpu(), dim=1)
        for crop, embed in zip(crops, embeds, strict=True):
            (self.hois if crop.kind == "hoi" else self.objects)[crop.label] += crop.weight * embed

    def rows(self, classes: HOIClasses, person: int = 0) -> Tensor:
        """(V, e): of each verb the mean, over its HOI classes with crops, of union minus object direction, length 1.

        A verb without any crop gets a zero row, which adds nothing to scores. Of a HOI class without object the
        person's direction is taken away.
        """
        unions, objects = F.normalize(self.hois, dim=1), F.normalize(self.objects, dim=1)
        labels = torch.tensor([label if label < len(objects) else person for label in classes.objects])
        seen = (self.hois != 0).any(1, keepdim=True)
        difference = (unions - objects[labels]) * seen
        matrix = classes.verb_matrix()
        counts = (matrix @ seen.float()).clamp(min=1)
        return F.normalize(matrix @ difference / counts, dim=1)
