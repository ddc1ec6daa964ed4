"""The candidates of one image, as every writer takes them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..functional import TripletCoder
from ..metrics.records import ImageRecord


@dataclass(frozen=True, eq=False)
class Candidates:
    """K triplets of an image, best first.

    Args:
        file_name (str): as in the annotation file.
        sub_boxes, obj_boxes (ndarray): (K, 4) x1, y1, x2, y2 in pixels of the original image.
        sub_labels, obj_labels, verbs (ndarray): (K,) int; the object label C means no object.
        scores (ndarray): (K,) float32.
    """

    file_name: str
    sub_boxes: np.ndarray
    obj_boxes: np.ndarray
    sub_labels: np.ndarray
    obj_labels: np.ndarray
    verbs: np.ndarray
    scores: np.ndarray

    @classmethod
    def of_record(cls, file_name: str, record: ImageRecord, coder: TripletCoder) -> "Candidates":
        """Those that a metric keeps of an image."""
        table = record.preds
        return cls(file_name, table.sub_boxes, table.obj_boxes, *coder.decode(table.classes), table.scores)

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, rows: np.ndarray) -> "Candidates":
        """Rows by mask or index array."""
        arrays = self.sub_boxes, self.obj_boxes, self.sub_labels, self.obj_labels, self.verbs, self.scores
        return Candidates(self.file_name, *(array[rows] for array in arrays))


class BoxList:
    """Boxes of an image, each with its class listed once."""

    def __init__(self):
        self.rows: dict[tuple, int] = {}

    def index(self, box: Sequence[float], label: int) -> int:
        """Where the box stands."""
        return self.rows.setdefault((*map(digits, box), int(label)), len(self.rows))


def digits(value: float) -> float:
    """Nine digits tell float32 numbers apart; more would be noise."""
    return float(f"{value:.9g}")
