"""The boxes and HOIs of a whole split as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..annotations import NO_OBJECT
from .checked_entry import CheckedEntry


@dataclass(frozen=True, eq=False)
class SplitTables:
    """N boxes and M HOIs of all readable entries, in the order of the file.

    Args:
        boxes (ndarray): (N, 4) float64, x1, y1, x2, y2 in pixels; also unsound ones.
        labels (ndarray): (N,) int.
        image (ndarray): (N,) int, which of the entries the box belongs to.
        position (ndarray): (N,) int, where in the entry.
        subject, object (ndarray): (M,) int, rows of ``boxes``; ``object`` is -1 where there is none.
        verb (ndarray): (M,) int.
        hoi_image (ndarray): (M,) int. HOIs of a box that can't be read are left out.
        num_images (int): readable entries.
    """

    boxes: np.ndarray
    labels: np.ndarray
    image: np.ndarray
    position: np.ndarray
    subject: np.ndarray
    object: np.ndarray
    verb: np.ndarray
    hoi_image: np.ndarray
    num_images: int

    @classmethod
    def of(cls, entries: Sequence[CheckedEntry]) -> "SplitTables":
        """Arrays of these entries."""
        boxes, rows = [], {}
        for i, entry in enumerate(entries):
            for position, (box, label) in entry.boxes.items():
                rows[i, position] = len(boxes)
                boxes.append((*box, label, i, position))
        hois = [
            (rows[i, subject], rows.get((i, obj), NO_OBJECT), verb, i)
            for i, entry in enumerate(entries)
            for subject, obj, verb in entry.hois.values()
            if (i, subject) in rows and (obj == NO_OBJECT or (i, obj) in rows)
        ]
        # Labels and positions are small enough to be exact as floats.
        box_table = np.array(boxes, dtype=np.float64).reshape(-1, 7)
        hoi_table = np.array(hois, dtype=np.int64).reshape(-1, 4)
        labels, image, position = box_table[:, 4:].astype(np.int64).T
        return cls(box_table[:, :4], labels, image, position, *hoi_table.T, len(entries))

    @property
    def sound(self) -> np.ndarray:
        """(N,) bool: boxes with an area, all coordinates finite."""
        x1, y1, x2, y2 = self.boxes.T
        return np.isfinite(self.boxes).all(1) & (x2 > x1) & (y2 > y1)

    @property
    def pairs(self) -> np.ndarray:
        """(P, 3) int: subject, object or -1, image of every pair; one row for all its verbs."""
        return np.unique(np.stack([self.subject, self.object, self.hoi_image], 1), axis=0)


def pairs_within(groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All i < j with the same group, as two arrays.

    Args:
        groups (ndarray): (N,) int.

    >>> [rows.tolist() for rows in pairs_within(np.array([7, 3, 7, 7]))]
    [[0, 0, 2], [2, 3, 3]]
    """
    order = np.argsort(groups, kind="stable")
    _, start, size = np.unique(groups[order], return_index=True, return_counts=True)
    end = np.repeat(start + size, size)  # of the group of each sorted row
    later = end - np.arange(len(groups)) - 1  # rows after it in its group
    first = np.repeat(np.arange(len(groups)), later)
    offset = np.arange(len(first)) - np.repeat(np.cumsum(later) - later, later)
    return order[first], order[first + 1 + offset]


def aligned_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(K,) IoU of the boxes (K, 4) of two arrays, row by row; all must have an area."""
    low, high = np.maximum(a[:, :2], b[:, :2]), np.minimum(a[:, 2:], b[:, 2:])
    overlap = (high - low).clip(0).prod(1)
    return overlap / (_area(a) + _area(b) - overlap)


def _area(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2:] - boxes[:, :2]).prod(1)
