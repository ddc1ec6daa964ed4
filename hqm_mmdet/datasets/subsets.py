"""Parts of a training set: a fraction of its images, or what a zero-shot split leaves."""

from collections.abc import Sequence
from functools import cache
from typing import TypeVar

import numpy as np

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.registry import FUNCTIONS

from .annotations import ImageAnnotations
from .class_tables import load_metainfo

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
    table, hois = load_metainfo("hico_det"), load_metainfo("hico_det_hois")
    return tuple(
        (table["classes"].index(name), table["verbs"].index(verb)) for name, verbs in hois.items() for verb in verbs
    )


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


def unseen_triplets(split: str) -> frozenset[tuple[int, int]]:
    """Triplets that a zero-shot split of HICO-DET keeps out of training.

    Args:
        split (str): ``rare_first`` (RF-UC: 120 unseen combinations, rare ones first), ``non_rare_first`` (NF-UC: 120),
            ``unseen_object`` (UO: 100 triplets of 12 objects), ``unseen_verb`` (UV: 84 triplets of 20 verbs),
            ``uc0`` ... ``uc4`` (UC: 120 each). The lists are those of GEN-VLKT and HOICLIP.

    Returns:
        frozenset: (object label, verb).

    Raises:
        ConfigError: no such split.
    """
    splits = load_metainfo("hico_det_zero_shot")
    if split not in splits:
        raise ConfigError(f"dataset.zero_shot={split!r} is no zero-shot split; there are {', '.join(splits)}.")
    triplets = hico_triplets()
    return frozenset(triplets[hoi - 1] for hoi in splits[split])


def without_unseen_pairs(image: ImageAnnotations, unseen: frozenset[tuple[int, int]]) -> ImageAnnotations:
    """An image without the pairs that show an unseen triplet; such a pair goes with all its verbs. Boxes stay."""
    pairs = {(subject, obj) for subject, obj, verb in image.hois if obj >= 0 and (image.labels[obj], verb) in unseen}
    hois = [hoi for hoi in image.hois if hoi[:2] not in pairs]
    return ImageAnnotations(image.file_name, image.boxes, image.labels, hois)
