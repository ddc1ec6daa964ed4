"""What an overview holds: plain values, nothing that computes.

C object classes, V verbs; in tables of V x (C + 1) the last column counts HOIs without object.
"""

from dataclasses import dataclass

import numpy as np

from hqm_mmdet.structures import HOIVocabulary

from ..checking import Kind


@dataclass(frozen=True, eq=False)
class SplitOverview:
    """One annotation file.

    Args:
        name (str): of the split, e.g. ``train``.
        hois (ndarray): (V, C + 1) int, HOI entries as annotated; repetitions count.
        images_of (ndarray): (V, C + 1) int, images that show the triplet.
        boxes_of (ndarray): (C,) int, boxes by class.
        boxes_per_image, pairs_per_image, persons_per_image (ndarray): (I,) int, one number per image; a pair counts
            once, whatever its number of verbs.
        box_sizes (ndarray): (N,) float, square root of the area of each sound box, in pixels.
        image_size (tuple, optional): smallest and largest (width, height); None if no image file was read.
    """

    name: str
    hois: np.ndarray
    images_of: np.ndarray
    boxes_of: np.ndarray
    boxes_per_image: np.ndarray
    pairs_per_image: np.ndarray
    persons_per_image: np.ndarray
    box_sizes: np.ndarray
    image_size: tuple[tuple[int, int], tuple[int, int]] | None = None

    @property
    def num_images(self) -> int:
        """Readable entries."""
        return len(self.pairs_per_image)

    @property
    def num_images_with_pairs(self) -> int:
        """Images with a pair; it may lack its object."""
        return int((self.pairs_per_image > 0).sum())

    @property
    def num_triplets(self) -> int:
        """Triplet classes that occur; verbs without object are none."""
        return int((self.hois[:, :-1] > 0).sum())

    @property
    def rare(self) -> np.ndarray:
        """(V, C) bool: triplets that occur, but have fewer than 10 HOI entries."""
        counts = self.hois[:, :-1]
        return (counts > 0) & (counts < HOIVocabulary.RARE_BELOW)


@dataclass(frozen=True)
class Flag:
    """Everything of one kind that a check found.

    Args:
        kind (Kind): level, name and definition.
        counts (tuple[int, ...]): findings by split.
        images (tuple[int, ...]): images with such a finding, by split.
    """

    kind: Kind
    counts: tuple[int, ...]
    images: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class DatasetOverview:
    """All splits of a data set.

    Args:
        classes, verbs (tuple[str, ...]): names.
        subject_label (int): class of persons.
        valid_pairs (ndarray, optional): (V, C) bool, the data set's own verb-object table; None if it has none.
        splits (tuple[SplitOverview, ...]): in order, training first.
        flags (tuple[Flag, ...]): what was found, errors first.
    """

    classes: tuple[str, ...]
    verbs: tuple[str, ...]
    subject_label: int
    valid_pairs: np.ndarray | None
    splits: tuple[SplitOverview, ...]
    flags: tuple[Flag, ...]
