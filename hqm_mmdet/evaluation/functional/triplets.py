"""Flat tables of HOI triplets: one row per (image, subject box, verb, object box)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TripletCoder:
    """One integer per triplet class (subject label, object label, verb).

    Labels are 0-based; the object label may be ``num_objects``, an absent object.

    Args:
        num_objects (int): number of object classes, C.
        num_verbs (int): number of verbs, V.
    """

    num_objects: int
    num_verbs: int

    @property
    def absent_object_label(self) -> int:
        """Label of a pair's object when there is none."""
        return self.num_objects

    def encode(self, sub_labels, obj_labels, verbs) -> np.ndarray:
        """Arrays (or scalars) of equal shape (N,) -> (N,) int64 classes."""
        # One label more than there are classes: the absent object.
        pair = np.asarray(sub_labels, dtype=np.int64) * (self.num_objects + 1) + obj_labels
        return pair * self.num_verbs + verbs

    def decode(self, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(N,) classes -> subject labels, object labels, verbs, each (N,)."""
        pair, verbs = np.divmod(classes, self.num_verbs)
        sub_labels, obj_labels = np.divmod(pair, self.num_objects + 1)
        return sub_labels, obj_labels, verbs


@dataclass(frozen=True, eq=False)
class TripletTable:
    """N triplets of one or many images.

    Args:
        image (ndarray): (N,) int, index of the image.
        classes (ndarray): (N,) int, triplet class (see :class:`TripletCoder`).
        sub_boxes, obj_boxes (ndarray): (N, 4) float, x1, y1, x2, y2 in pixels of the original image.
        scores (ndarray, optional): (N,) float32; None for ground truth.

    Raises:
        ValueError: A column has another length.
    """

    image: np.ndarray
    classes: np.ndarray
    sub_boxes: np.ndarray
    obj_boxes: np.ndarray
    scores: np.ndarray | None = None

    def __post_init__(self):
        n = len(self.image)
        wanted = dict(image=(n,), classes=(n,), sub_boxes=(n, 4), obj_boxes=(n, 4), scores=(n,))
        for name, shape in wanted.items():
            column = getattr(self, name)
            if column is not None and np.shape(column) != shape:
                raise ValueError(f"{name} must have the shape {shape}, got {np.shape(column)}.")

    def __len__(self) -> int:
        return len(self.image)

    def __getitem__(self, rows: np.ndarray) -> "TripletTable":
        """Rows by mask or index array, in the order given."""
        scores = None if self.scores is None else self.scores[rows]
        return TripletTable(self.image[rows], self.classes[rows], self.sub_boxes[rows], self.obj_boxes[rows], scores)


def stack_images(tables: Sequence[TripletTable], scored: bool) -> TripletTable:
    """Join one table per image into one; row order is kept, ``image`` becomes the position in the list.

    Args:
        tables (Sequence[TripletTable]): one per image, possibly empty.
        scored (bool): whether the rows carry scores (predictions) or not (ground truth).

    Returns:
        TripletTable: int64 indices, float32 scores, boxes in the widest type that occurs.
    """
    image = np.repeat(np.arange(len(tables)), [len(t) for t in tables])

    def join(name: str, empty: np.ndarray) -> np.ndarray:
        return np.concatenate([getattr(t, name) for t in tables]) if tables else empty

    no_box, no_int = np.zeros((0, 4), np.float32), np.zeros(0, np.int64)
    return TripletTable(
        image.astype(np.int64),
        join("classes", no_int).astype(np.int64),
        join("sub_boxes", no_box),
        join("obj_boxes", no_box),
        join("scores", np.zeros(0, np.float32)) if scored else None,
    )
