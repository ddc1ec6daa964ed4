"""Predictions as flat rows, for tables and for other programs."""

import csv
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hqm_mmdet.utils.atomic_io import naming
from hqm_mmdet_cli.checks import INCOMPLETE

Box = tuple[float, float, float, float]
CORNERS = ("x1", "y1", "x2", "y2")
COLUMNS = (
    *("image", "frame"),
    *(f"{who}_{corner}" for who in ("subject", "object") for corner in CORNERS),
    *("object", "verb", "score"),
)


@dataclass(frozen=True)
class Triplet:
    """A person who does something, with an object or without.

    Args:
        image (str): name of the image.
        subject_box (tuple): x1, y1, x2, y2 in pixels of the image.
        object_box (tuple, optional): likewise; None for an absent object.
        object (str, optional): name of its class; None for an absent object.
        verb (str): name.
        score (float): from 0 to 1.
    """

    image: str
    subject_box: Box
    object_box: Box | None
    object: str | None
    verb: str
    score: float


def triplets_of_entry(entry: Mapping) -> list[Triplet]:
    """Rows of an entry of ``predictions.json``, best first."""
    boxes = [tuple(box["bbox"]) for box in entry["predictions"]]
    return [
        Triplet(
            entry["file_name"],
            boxes[hoi["subject_id"]],
            None if hoi["object"] is None else boxes[hoi["object_id"]],
            hoi["object"],
            hoi["verb"],
            hoi["score"],
        )
        for hoi in entry["hoi_prediction"]
    ]


class TripletFile:
    """A CSV file of triplets; a context manager. It appears under its name when it is complete.

    Columns are :data:`COLUMNS`; ``frame`` is empty but for videos, and what belongs to an absent object is empty.

    Args:
        path (str | Path): of the file; its folder is made.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self._part = self.path.with_name(self.path.name + INCOMPLETE)

    def __enter__(self) -> "TripletFile":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._stream = open(self._part, "w", encoding="utf-8", newline="", errors="surrogateescape")  # noqa: SIM115
        self._rows = csv.writer(self._stream)
        self._rows.writerow(COLUMNS)
        return self

    def write(self, entry: Mapping) -> None:
        """Append the rows of an entry of ``predictions.json``.

        Raises:
            OSError: the file can't be written; the message names it.
        """
        with naming(self.path):
            for row in triplets_of_entry(entry):
                boxes = (*row.subject_box, *(row.object_box or ("",) * 4))
                self._rows.writerow((row.image, entry.get("frame"), *boxes, row.object, row.verb, row.score))

    def __exit__(self, *exception) -> None:
        with naming(self.path):
            self._stream.close()
            os.replace(self._part, self.path)
