"""Folders of ``detections_01.mat`` ... ``detections_80.mat``: exports of UPT, PViC, SCG for HICO-DET's MATLAB code."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from scipy.io import loadmat

from hqm_mmdet.datasets.file_hints import MAT_ERRORS, looks_like
from hqm_mmdet.datasets.subsets import hico_triplets

from ..errors import PredictionError
from .file_prediction import FilePrediction, require_hico

TEST_IMAGES = 9658  # of the official test set; HOIA-style files have the 9,546 with a pair
TEST_NAME = "HICO_test2015_{:08d}.jpg"
FILE_NAME = "detections_{:02d}.mat"
ONE_OF_A_FOLDER = " Of UPT's detections_XX.mat give the folder, which holds one for each of the 80 objects."
COLUMNS = 9  # subject box, object box, score


def read_mat_predictions(folder: Path, metainfo: Mapping) -> Iterator[FilePrediction]:
    """One image at a time.

    File XX is of object XX, COCO's order from 1; its cell array ``all_boxes`` has a row per HOI of the object, in
    HICO's order, and a column per image: all 9,658 test images in order, or those of the annotation file. A cell holds
    rows of subject box, object box and score; coordinates count from 0 and x2, y2 are the last pixels, so evaluate with
    ``--protocol matlab``. Sources: ``cache_hico`` in UPT's ``utils.py``, ``eval_one.m`` of ho-rcnn.

    Images without any detection are left out where columns are told by names.

    Raises:
        FileNotFoundError: the folder holds no such file.
        PredictionError: a file is missing or unfit, or the data set is not HICO-DET.
    """
    require_hico(metainfo, folder, "these predictions")
    cells = _read_folder(folder, len(metainfo["classes"]))
    num_images = {columns.shape[1] for columns in cells.values()}
    if len(num_images) > 1:
        raise PredictionError(f"{folder}: files of {sorted(num_images)} images; they belong to different exports.")
    by_name = num_images == {TEST_IMAGES}
    for image in range(num_images.pop()):
        pairs = _pairs(
            [(hoi, cell[i, image]) for hoi, (cell, i) in _rows(cells)], len(metainfo["verbs"]), folder, image
        )
        if len(pairs["obj_labels"]) or not by_name:
            name = TEST_NAME.format(image + 1) if by_name else image
            yield FilePrediction(image, name, dict(pred_pairs=pairs, partial_scores=True), not by_name)


def hois_of_object(label: int) -> list[int]:
    """HOI ids from 0 of an object, in HICO's order."""
    return [hoi for hoi, (obj, _) in enumerate(hico_triplets()) if obj == label]


def _read_folder(folder: Path, num_objects: int) -> dict[int, np.ndarray]:
    """Cell arrays by object label."""
    files = {label: folder / FILE_NAME.format(label + 1) for label in range(num_objects)}
    missing = [file.name for file in files.values() if not file.is_file()]
    if len(missing) == num_objects:
        raise FileNotFoundError(f"Folder {folder.absolute()} holds no {FILE_NAME.format(1)} ... as UPT exports them.")
    cells = {label: _read_cells(file, label) for label, file in files.items() if file.is_file()}
    if missing:
        raise PredictionError(
            f"{folder}: {len(missing)} of the {num_objects} files are missing, first {missing[0]}; their HOIs would "
            "count as not found. Copy them, too."
        )
    return cells


def _read_cells(file: Path, label: int) -> np.ndarray:
    try:
        cells = loadmat(file, variable_names=["all_boxes"])["all_boxes"]
    except MAT_ERRORS as error:
        hint = looks_like(file) or " Copy it again."
        raise PredictionError(f"{file}: no cell array all_boxes ({type(error).__name__}: {error}).{hint}") from error
    expected = len(hois_of_object(label))
    if cells.dtype != object or cells.ndim != 2 or len(cells) != expected:
        raise PredictionError(
            f"{file}: all_boxes is {' x '.join(map(str, cells.shape))}, expected HOIs x images, and object {label + 1} "
            f"has {expected} HOIs (COCO's order of objects, HICO's of HOIs). Export it again."
        )
    return cells


def _rows(cells: Mapping[int, np.ndarray]) -> Iterator[tuple[int, tuple[np.ndarray, int]]]:
    """HOI id, and the cell array and row that hold it."""
    for label, cell in cells.items():
        for i, hoi in enumerate(hois_of_object(label)):
            yield hoi, (cell, i)


def _pairs(found: list[tuple[int, np.ndarray]], num_verbs: int, folder: Path, image: int) -> dict[str, np.ndarray]:
    """``pred_pairs`` of an image: one row per detection, whose other verbs are NaN, not predicted."""
    found = [(hoi, np.asarray(rows, np.float64)) for hoi, rows in found if np.size(rows)]
    for hoi, rows in found:
        if rows.ndim != 2 or rows.shape[1] != COLUMNS or not np.isfinite(rows).all():
            raise PredictionError(
                f"{folder}: HOI {hoi + 1}, image {image + 1}: expected rows of {COLUMNS} finite numbers (two boxes, "
                f"score), got an array of the shape {rows.shape}. Export it again."
            )
    table = np.concatenate([np.zeros((0, COLUMNS)), *(rows for _, rows in found)])
    hois = np.repeat([hoi for hoi, _ in found], [len(rows) for _, rows in found]).astype(np.int64)
    labels, verbs = np.array(hico_triplets(), np.int64).T
    scores = np.full((len(table), num_verbs), np.nan, np.float32)
    scores[np.arange(len(table)), verbs[hois]] = table[:, 8]
    boxes = table[:, :8].astype(np.float32)
    return dict(sub_bboxes=boxes[:, :4], obj_bboxes=boxes[:, 4:], obj_labels=labels[hois], verb_scores=scores)
