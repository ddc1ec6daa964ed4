"""Converted files: complete or absent."""

import gzip
import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hqm_mmdet.utils import write_atomically


def write_entries(path: str | Path, entries: Sequence[dict]) -> None:
    """Write an annotation file; compressed if the name ends with ``.gz``, byte by byte the same for equal entries."""
    data = json.dumps(entries).encode()
    # Without mtime, which would be the time of writing, equal entries give equal bytes.
    write_atomically(path, gzip.compress(data, mtime=0) if str(path).endswith(".gz") else data)


def write_valid_pairs(path: str | Path, valid_pairs: np.ndarray) -> None:
    """Write a (V, C) verb-object table as the official code reads it, 0.0 or 1.0."""
    stream = io.BytesIO()
    np.save(stream, valid_pairs.astype(np.float64))
    write_atomically(path, stream.getvalue())


def summary(entries: Sequence[dict]) -> str:
    """What a file holds, in one line."""
    boxes, hois = (sum(len(entry[key]) for entry in entries) for key in ("annotations", "hoi_annotation"))
    return f"{len(entries)} images, {boxes} boxes, {hois} HOIs"
