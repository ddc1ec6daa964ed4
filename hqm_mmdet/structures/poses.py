"""Poses of persons, and which box each belongs to."""

import numpy as np
import torch
from mmengine.structures import InstanceData
from torch import Tensor

from .hoi_data_sample import HOIDataSample

NUM_KEYPOINTS = 17  # COCO's
MIN_IOU = 0.3


def with_poses(pairs: InstanceData, sample: HOIDataSample) -> InstanceData:
    """``pairs``, whose boxes are in pixels of the network's input, with ``keypoints`` if the sample has poses."""
    if "poses" in sample:
        pairs.keypoints = poses_of_boxes(pairs.sub_bboxes, sample.poses.keypoints)
    return pairs


def poses_of_boxes(boxes: Tensor, poses: Tensor) -> Tensor:
    """Give each box the pose that fits it best, each pose to one box; best fits first.

    A pose fits as well as the box around its keypoints overlaps, at an IoU of 0.3 at least: keypoints leave out hands,
    feet and hair. Equal boxes are one person's, in several pairs, and get the same pose.

    Args:
        boxes (Tensor): (N, 4) x1, y1, x2, y2 of persons.
        poses (Tensor): (K, 17, 3) finite x, y, score in the same frame.

    Returns:
        Tensor: (N, 17, 3) float32 where ``boxes`` are; NaN for a box without pose.
    """
    distinct, row = np.unique(boxes.detach().cpu().numpy().astype(np.float64), axis=0, return_inverse=True)
    given = np.full((len(distinct), NUM_KEYPOINTS, 3), np.nan, np.float32)
    poses = poses.cpu().numpy()
    fit = _iou(distinct, np.concatenate([poses[..., :2].min(1), poses[..., :2].max(1)], 1))  # (M, K)
    while fit.size and fit.max() >= MIN_IOU:
        box, pose = np.unravel_index(fit.argmax(), fit.shape)
        given[box] = poses[pose]
        fit[box], fit[:, pose] = -1, -1
    return torch.from_numpy(given[row.reshape(-1)]).to(boxes.device)


def _iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    overlap = (high - low).clip(min=0).prod(2)
    area_a, area_b = ((each[:, 2:] - each[:, :2]).prod(1) for each in (a, b))
    return overlap / np.maximum(area_a[:, None] + area_b - overlap, 1e-9)
