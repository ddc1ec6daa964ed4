"""Labelled pairs to draw beside predictions."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hqm_mmdet.datasets.annotations import read_annotations
from hqm_mmdet.datasets.entry_parser import EntryParser
from hqm_mmdet.datasets.problems import ProblemReport


def read_ground_truth(file: str | Path, metainfo: Mapping) -> dict[str, dict[str, np.ndarray]]:
    """``gt_hois`` of a HOIA-style annotation file by file name, as test data sets give them.

    Prediction reads images upright, as own data are by default. Boxes of HICO-DET, V-COCO and HOI-A count pixels of the
    stored image, so there both agree only for images without an EXIF orientation.

    Args:
        file (str | Path): ``.json`` or ``.json.gz``.
        metainfo (Mapping): ``category_ids`` and ``verb_ids``, the ids in the file.

    Raises:
        FileNotFoundError: no such file.
        AnnotationError: no such format, or ids of another data set; the message names file and entry.
    """
    parser = EntryParser(metainfo["category_ids"], metainfo["verb_ids"], ProblemReport(str(file)), training=False)
    return {image.file_name: image.as_truth() for image in parser.read_all(read_annotations(str(file)))}
