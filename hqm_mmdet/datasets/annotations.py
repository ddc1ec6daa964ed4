"""HOIA-style annotation files, as plain Python: no images, no tensors.

A file is a list of ``{file_name, annotations: [{bbox, category_id}], hoi_annotation: [{subject_id, object_id,
category_id}]}``, ``bbox`` as x1, y1, x2, y2 in pixels, ``subject_id`` and ``object_id`` indices into ``annotations``
(``object_id`` -1: no object). PPDM, QPIC, CDN and their successors use it.
"""

import gc
import gzip
import math
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hqm_mmdet.utils.untrusted_values import parse_json

from .file_hints import json_hint, looks_like
from .problems import AnnotationError

NO_OBJECT = -1
NOT_FINITE = "NaN or infinite coordinate"
NO_AREA = "x2 <= x1 or y2 <= y1"


@dataclass
class ImageAnnotations:
    """One image of an annotation file, ids mapped.

    Args:
        file_name (str): as in the file.
        boxes (list): N boxes x1, y1, x2, y2 in pixels, as in the file.
        labels (list[int]): N object labels.
        hois (list): M tuples (subject index, object index or -1, verb).
    """

    file_name: str
    boxes: list[list[float]]
    labels: list[int]
    hois: list[tuple[int, int, int]]

    def as_truth(self) -> dict[str, np.ndarray]:
        """``gt_hois``, the ground truth of an evaluation: as annotated, nothing merged, clipped or dropped.

        Returns:
            dict[str, ndarray]: ``boxes`` (N, 4) float64, ``labels`` (N,) and ``hois`` (M, 3) int64: subject index,
            object index or -1, verb.
        """
        return dict(
            boxes=np.array(self.boxes, dtype=np.float64).reshape(-1, 4),
            labels=np.array(self.labels, dtype=np.int64),
            hois=np.array(self.hois, dtype=np.int64).reshape(-1, 3),
        )


def find_annotations(path: str | Path) -> Path | None:
    """``path`` or ``path.gz``, whichever exists."""
    return next((file for file in (Path(path), Path(f"{path}.gz")) if file.is_file()), None)


def read_json(path: str | Path, how_to_get: str = "Check the path."):
    """Content of a JSON file.

    Args:
        path (str | Path): a ``.json`` or ``.json.gz`` file; ``.json.gz`` also where only the name without ``.gz`` is
            given.
        how_to_get (str): closes the message if the file is missing.

    Raises:
        FileNotFoundError: neither ``path`` nor ``path.gz`` exists.
        AnnotationError: not JSON.
    """
    file = find_annotations(path)
    if file is None:
        raise FileNotFoundError(f"Annotation file {Path(path).absolute()} (or .json.gz) does not exist. {how_to_get}")
    try:
        # Bytes, not text: json then finds the encoding itself.
        with gzip.open(file, "rb") if file.suffix == ".gz" else open(file, "rb") as stream:
            return parse_json(stream.read())
    except (ValueError, EOFError, OSError, zlib.error) as error:
        hint = looks_like(file, "hoi_annotation") or json_hint(error) or " Copy or download it again."
        raise AnnotationError(f"{file}: no readable JSON ({error}).{hint} {how_to_get}") from error


def read_annotations(path: str, how_to_get: str = "Check the path.") -> list[dict]:
    """Entries of an annotation file; arguments and errors as of :func:`read_json`.

    Raises:
        AnnotationError: also if the file holds no list.
    """
    entries = read_json(path, how_to_get)
    if not isinstance(entries, list):
        file = find_annotations(path)
        raise AnnotationError(
            f"{file}: expected a list with one entry per image, found {type(entries).__name__}. This is no HOIA-style "
            f"annotation file; see docs/own_data.md.{looks_like(file, 'hoi_annotation')}"
        )
    return entries


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """For building many small containers at once: the collector would search them for cycles over and over.

    Reading the training annotations of HICO-DET takes a quarter of the time.
    """
    # Nested uses, and callers without a collector, find it as they left it.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def box_defect(box: Sequence[float]) -> str | None:
    """What makes a box unusable, or None."""
    x1, y1, x2, y2 = box
    # One sum instead of four tests: no finite number comes of NaN or infinity, and every box of a file passes here.
    if not math.isfinite(x1 + y1 + x2 + y2):
        return NOT_FINITE
    return None if x2 > x1 and y2 > y1 else NO_AREA


def merge_pairs(hois: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, list[int]]]:
    """HOIs of one image as pairs: one (subject, object, verbs) per pair of indices, in order of first appearance.

    >>> merge_pairs([(0, 1, 5), (2, -1, 3), (0, 1, 4), (0, 1, 5)])
    [(0, 1, [5, 4]), (2, -1, [3])]
    """
    pairs: dict[tuple[int, int], list[int]] = {}
    for subject, obj, verb in hois:
        verbs = pairs.setdefault((subject, obj), [])
        # An HOI may be listed twice; a pair has each verb once.
        if verb not in verbs:
            verbs.append(verb)
    return [(subject, obj, verbs) for (subject, obj), verbs in pairs.items()]
