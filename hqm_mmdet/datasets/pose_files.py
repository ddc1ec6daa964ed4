"""Poses of persons, out of a file: COCO's keypoint results, or what mmpose writes."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from hqm_mmdet.structures import NUM_KEYPOINTS
from hqm_mmdet.utils.plain_pickle import load_plain_pickle
from hqm_mmdet.utils.untrusted_values import MALFORMED, parse_json

from .detection_files import DetectionError, ImageIndex

MIRRORED = (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)  # left and right change places
FORMATS = (
    "COCO's keypoint results (a JSON list of {image_id, keypoints: 51 numbers}), a folder of mmpose's inferencer "
    "(pred_out_dir: per image a JSON list of {keypoints, keypoint_scores}), or mmpose's DumpResults (a pickled list of "
    "{img_path, pred_instances: {keypoints, keypoint_scores}})"
)
Poses = Iterator[tuple[str | int, str, Any, Any]]  # image, entry for messages, keypoints, scores or None


def read_poses(path: str | Path, file_names: Sequence[str]) -> list[np.ndarray]:
    """Poses of a data set's images.

    Args:
        path (str | Path): ``.json``, ``.pkl`` or ``.pickle`` (read without running code), or a folder; see ``FORMATS``.
            Keypoints are COCO's 17 in COCO's order.
        file_names (Sequence[str]): of I images, matched as in :func:`~.detection_files.read_detections`.

    Returns:
        list[ndarray]: I times (K, 17, 3) float32 x, y, score in pixels of the original image.

    Raises:
        FileNotFoundError: no such file.
        CheckpointError: a pickle that is damaged or wants to run code.
        DetectionError: another structure, a pose of another number of keypoints or with numbers that are not finite, or
            no image of the data set.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"Pose file {path} does not exist. See docs/two_stage.md.")
    read = _read_folder if path.is_dir() else _read_results if path.suffix == ".json" else _read_pickle
    find, poses, unknown = ImageIndex(file_names), defaultdict(list), 0
    for image, entry, keypoints, scores in read(path):
        pose, position = _pose(keypoints, scores, f"{path}: entry {entry} ({image})"), find(image)
        if position is None:
            unknown += 1
        else:
            poses[position].append(pose)
    if not poses:
        raise DetectionError(
            f"{path}: none of its {unknown} poses belongs to one of the {len(file_names)} images of the data set, e.g. "
            f"{file_names[0] if file_names else 'none'}. Estimate poses in the images of this split."
        )
    return [np.array(poses[i], np.float32).reshape(-1, NUM_KEYPOINTS, 3) for i in range(len(file_names))]


def _pose(keypoints, scores, place: str) -> np.ndarray:
    """(17, 3) float32 of x, y and scores of their own, or of x, y, score in one list."""
    try:
        pose = np.asarray(keypoints, np.float32)
        if scores is not None:
            pose = np.concatenate([pose.reshape(-1, 2), np.asarray(scores, np.float32).reshape(-1, 1)], 1)
    except MALFORMED as error:
        raise DetectionError(f"{place}: {error}. Expected {FORMATS}.") from error
    if pose.size != 3 * NUM_KEYPOINTS:
        raise DetectionError(
            f"{place} has {pose.size} numbers, expected x, y, score of COCO's {NUM_KEYPOINTS} keypoints. Estimate "
            "poses with a model for COCO."
        )
    if not np.isfinite(pose).all():
        raise DetectionError(f"{place} has a number that is not finite. Correct or remove it.")
    return pose.reshape(NUM_KEYPOINTS, 3)


def _read_results(path: Path) -> Poses:
    for n, row in enumerate(_entries(path, _load_json(path))):
        with _named(path, n):
            pose = row["image_id"], str(n), row["keypoints"], None
        yield pose


def _read_folder(path: Path) -> Poses:
    """A file is called as its image."""
    for file in sorted(path.glob("*.json")):
        for n, row in enumerate(_entries(file, _load_json(file))):
            with _named(file, n):
                pose = file.stem, f"{n} of {file.name}", row["keypoints"], row["keypoint_scores"]
            yield pose


def _read_pickle(path: Path) -> Poses:
    for n, row in enumerate(_entries(path, load_plain_pickle(path, tensors=True))):
        with _named(path, n):
            found, image = row["pred_instances"], row["img_path"]
            poses = list(zip(found["keypoints"], found["keypoint_scores"], strict=True))
        for pose, scores in poses:
            yield image, str(n), pose, scores


@contextmanager
def _named(path: Path, entry: int) -> Iterator[None]:
    """Errors say which entry of which file they are about."""
    try:
        yield
    except MALFORMED as error:
        raise DetectionError(f"{path}: entry {entry}: {error!r}. Expected {FORMATS}.") from error


def _load_json(path: Path) -> Any:
    try:
        return parse_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DetectionError(f"{path}: no JSON ({error}). Expected {FORMATS}.") from error


def _entries(path: Path, content: Any) -> Iterable:
    if not isinstance(content, list):
        raise DetectionError(f"{path}: holds a {type(content).__name__}. Expected {FORMATS}.")
    return content


def poses_in_frame(poses: np.ndarray, scale: np.ndarray, width: int, flip: bool) -> np.ndarray:
    """(K, 17, 3) poses of the original image after a resize, (2,) factors of x and y, and a horizontal flip."""
    poses = poses.copy()
    poses[..., :2] *= scale
    if flip:
        poses[..., 0] = width - poses[..., 0]
        poses = poses[:, MIRRORED]
    return poses
