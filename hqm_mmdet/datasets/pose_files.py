"""Poses of persons, out of a file in the form of COCO's keypoint results, which mmpose writes too."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hqm_mmdet.utils.untrusted_values import MALFORMED, parse_json

from .detection_files import DetectionError, ImageIndex

NUM_KEYPOINTS = 17
MIRRORED = (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)  # left and right change places
MIN_IOU = 0.3


def read_poses(path: str | Path, file_names: Sequence[str]) -> list[np.ndarray]:
    """Poses of a data set's images.

    Args:
        path (str | Path): a JSON list of ``{image_id, keypoints: [x, y, score] * 17}``, COCO's order of keypoints.
        file_names (Sequence[str]): of I images, matched as in :func:`~.detection_files.read_detections`.

    Returns:
        list[ndarray]: I times (K, 17, 3) float32 x, y, score in pixels of the original image.

    Raises:
        FileNotFoundError: no such file.
        DetectionError: another structure, a pose of another number of keypoints, or no image of the data set.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"Pose file {path} does not exist. See docs/two_stage.md.")
    try:
        content = parse_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DetectionError(f"{path}: no JSON ({error}). Expected COCO's keypoint results.") from error
    find, poses = ImageIndex(file_names), defaultdict(list)
    if not isinstance(content, list):
        raise DetectionError(f"{path}: holds a {type(content).__name__}. Expected COCO's keypoint results.")
    for n, entry in enumerate(content):
        try:
            pose, position = np.asarray(entry["keypoints"], np.float32), find(entry["image_id"])
        except MALFORMED as error:
            raise DetectionError(f"{path}: entry {n}: {error!r}. Expected COCO's keypoint results.") from error
        if pose.size != 3 * NUM_KEYPOINTS:
            raise DetectionError(
                f"{path}: entry {n} ({entry['image_id']}) has {pose.size} numbers, expected x, y, score of COCO's "
                f"{NUM_KEYPOINTS} keypoints. Estimate poses with a model for COCO."
            )
        if position is not None:
            poses[position].append(pose.reshape(NUM_KEYPOINTS, 3))
    if not poses:
        raise DetectionError(f"{path}: none of its {len(content)} poses belongs to an image of the data set.")
    return [np.array(poses[i], np.float32).reshape(-1, NUM_KEYPOINTS, 3) for i in range(len(file_names))]


def poses_in_frame(poses: np.ndarray, scale: np.ndarray, width: int, flip: bool) -> np.ndarray:
    """(K, 17, 3) poses of the original image after a resize, (2,) factors of x and y, and a horizontal flip."""
    poses = poses.copy()
    poses[..., :2] *= scale
    if flip:
        poses[..., 0] = width - poses[..., 0]
        poses = poses[:, MIRRORED]
    return poses


def poses_of_boxes(boxes: np.ndarray, poses: np.ndarray) -> np.ndarray:
    """Give each box the pose that fits it best, each pose once; best fits first.

    A pose fits as well as the box around its keypoints overlaps, at an IoU of 0.3 at least: keypoints leave out hands,
    feet and hair.

    Args:
        boxes (ndarray): (N, 4) x1, y1, x2, y2 of persons.
        poses (ndarray): (K, 17, 3) in the same frame.

    Returns:
        ndarray: (N, 17, 3) float32, NaN for a box without pose.
    """
    given = np.full((len(boxes), NUM_KEYPOINTS, 3), np.nan, np.float32)
    if not len(boxes) or not len(poses):
        return given
    around = np.concatenate([poses[..., :2].min(1), poses[..., :2].max(1)], 1)  # (K, 4)
    low = np.maximum(boxes[:, None, :2], around[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], around[None, :, 2:])
    area_a, area_b = ((each[:, 2:] - each[:, :2]).prod(1) for each in (boxes, around))
    overlap = (high - low).clip(min=0).prod(2)
    iou = overlap / np.maximum(area_a[:, None] + area_b - overlap, 1e-9)
    while iou.max() >= MIN_IOU:
        box, pose = np.unravel_index(iou.argmax(), iou.shape)
        given[box] = poses[pose]
        iou[box], iou[:, pose] = -1, -1
    return given
