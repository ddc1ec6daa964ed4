"""Parts of a training set: a fraction of its images, or what a zero-shot split leaves."""

from collections.abc import Sequence
from functools import cache
from typing import TypeVar

import numpy as np

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.registry import FUNCTIONS
from hqm_mmdet.structures import HOIClassError, load_hoi_classes, load_metainfo, unseen_hois

from .annotations import ImageAnnotations

Item = TypeVar("Item")


def draw_fraction(items: Sequence[Item], fraction: float, seed: int = 0) -> list[Item]:
    """A random part of a training set, in the order of the file.

    The same on every machine. With one seed a smaller fraction is a part of a larger one, so that a curve over
    fractions adds images and exchanges none. The images that HOICLIP published for 5, 15, 25 and 50 % are files of
    their own.

    Args:
        items (Sequence): the whole.
        fraction (float): share, in (0, 1]; at least one item is kept.
        seed (int): which items.

    Raises:
        ConfigError: the fraction is not in (0, 1].

    >>> draw_fraction("abcdefgh", 0.5, seed=1), draw_fraction("abcdefgh", 0.25, seed=1)
    (['b', 'c', 'g', 'h'], ['c', 'h'])
    """
    if not 0 < fraction <= 1:
        raise ConfigError(
            f"dataset.fraction must lie in (0, 1], got {fraction!r}; 0.1 trains on a tenth of the images."
        )
    number = max(1, round(len(items) * fraction))
    # RandomState: its streams are frozen, those of numpy's newer generators may change.
    order = np.random.RandomState(seed).permutation(len(items))[:number]
    # In the order of the file: chance decides who takes part, nothing else.
    return [items[i] for i in sorted(order.tolist())]


@FUNCTIONS.register_module()
@cache
def hico_triplets() -> tuple[tuple[int, int], ...]:
    """The 600 HOI classes of HICO-DET, (object label, verb) each; position i is HOI id i + 1."""
    hois = load_hoi_classes("hico_det")
    return tuple(zip(hois.objects, hois.verbs, strict=True))


def hico_valid_pairs() -> np.ndarray:
    """(V, C) bool, the 600 of them."""
    labels, verbs = np.array(hico_triplets()).T
    table = load_metainfo("hico_det")
    valid_pairs = np.zeros((len(table["verbs"]), len(table["classes"])), dtype=bool)
    valid_pairs[verbs, labels] = True
    return valid_pairs


def hico_rare_triplets() -> frozenset[tuple[int, int]]:
    """The 138 (object label, verb) with fewer than 10 instances in HICO-DET's training annotations."""
    triplets = hico_triplets()
    return frozenset(triplets[hoi - 1] for hoi in load_metainfo("hico_det_rare")["rare"])


def unseen_triplets(split: str, hois: str = "hico_det") -> frozenset[tuple[int, int]]:
    """Triplets that a zero-shot split keeps out of training.

    Args:
        split (str): of HICO-DET, see :func:`~hqm_mmdet.structures.unseen_hois`; of the toy set ``unseen_combination``.
        hois (str): the HOI classes. Default: those of HICO-DET.

    Returns:
        frozenset: (object label, verb).

    Raises:
        ConfigError: no such split.
    """
    classes = load_hoi_classes(hois)
    try:
        unseen = unseen_hois(hois, split)
    except HOIClassError as error:
        raise ConfigError(f"dataset.zero_shot: {error}") from error
    return frozenset((classes.objects[i], classes.verbs[i]) for i in unseen)


def without_unseen_pairs(image: ImageAnnotations, unseen: frozenset[tuple[int, int]]) -> ImageAnnotations:
    """An image without the pairs that show an unseen triplet; such a pair goes with all its verbs. Boxes stay."""
    pairs = {(subject, obj) for subject, obj, verb in image.hois if obj >= 0 and (image.labels[obj], verb) in unseen}
    hois = [hoi for hoi in image.hois if hoi[:2] not in pairs]
    return ImageAnnotations(image.file_name, image.boxes, image.labels, hois)
