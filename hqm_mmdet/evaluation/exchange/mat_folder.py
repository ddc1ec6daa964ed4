"""A folder of ``detections_01.mat`` ... ``detections_80.mat``, which HICO-DET's MATLAB code evaluates."""

import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from rich.progress import track
from scipy.io import savemat

from hqm_mmdet.datasets.subsets import hico_triplets
from hqm_mmdet.utils.atomic_io import write_atomically

from ..offline.mat_predictions import COLUMNS, FILE_NAME, TEST_IMAGES, hois_of_object
from .candidates import Candidates

NUMBER = re.compile(r"HICO_test2015_(\d{8})\.")


def write_mat_folder(
    folder: str | Path,
    images: Iterable[Candidates],
    num_objects: int,
    continuous: bool = False,
    progress: bool = False,
) -> None:
    """Write the 80 files; a few minutes for the whole test set.

    Columns are the 9,658 test images where all names are theirs, else the images in their order.

    Args:
        folder (str | Path): made if need be.
        images (Iterable[Candidates]): in the order of the annotation file.
        num_objects (int): 80.
        continuous (bool): see :func:`rows_by_hoi`. Default: False.
        progress (bool): show a progress bar. Default: False.
    """
    images = list(images)
    numbers = [NUMBER.search(image.file_name) for image in images]
    by_number = all(number and 1 <= int(number[1]) <= TEST_IMAGES for number in numbers)
    columns = [int(number[1]) - 1 for number in numbers] if by_number else range(len(images))
    rows = rows_by_hoi(images, columns, continuous)
    num_columns = TEST_IMAGES if by_number else len(images)
    for label in track(range(num_objects), "MATLAB files", disable=not progress):
        hois = hois_of_object(label)
        cells = np.empty((len(hois), num_columns), object)
        cells.fill(np.zeros((0, 0)))
        for i, hoi in enumerate(hois):
            for column, found in rows.get(hoi, {}).items():
                cells[i, column] = np.array(found)
        stream = io.BytesIO()
        savemat(stream, dict(all_boxes=cells), do_compression=True)  # empty cells would take 50 MB a file
        write_atomically(Path(folder) / FILE_NAME.format(label + 1), stream.getvalue())


def rows_by_hoi(
    images: Sequence[Candidates], columns: Iterable[int], continuous: bool = False
) -> dict[int, dict[int, list[np.ndarray]]]:
    """What the cells of the files hold: HOI id from 0 -> column -> rows of two boxes and a score.

    The MATLAB code adds 1 to coordinates, as ``--protocol matlab`` does. Combinations that are no HOI are left out.

    Args:
        images (Sequence[Candidates]): I images.
        columns (Iterable[int]): (I,) where each stands.
        continuous (bool): boxes end where x2, y2 say, and last pixels are one less, as UPT's and PViC's ``cache_hico``
            subtracts. Default False: coordinates are written as they are.
    """
    ids = {triplet: hoi for hoi, triplet in enumerate(hico_triplets())}
    last = np.array([0, 0, 1, 1] * 2 + [0]) if continuous else 0
    rows: dict[int, dict[int, list]] = {}
    for column, image in zip(columns, images, strict=True):
        table = np.column_stack([image.sub_boxes, image.obj_boxes, image.scores]).astype(np.float64) - last
        for label, verb, row in zip(image.obj_labels.tolist(), image.verbs.tolist(), table, strict=True):
            if (hoi := ids.get((label, verb))) is not None:
                rows.setdefault(hoi, {}).setdefault(column, []).append(row.reshape(COLUMNS))
    return rows
