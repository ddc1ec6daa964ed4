"""Detections and poses as part of a data set's items, and in the frame that transforms leave an image in."""

import logging
import os.path as osp
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from mmengine.logging import print_log
from mmengine.structures import InstanceData

from .detection_files import ClassMap, DetectionError, read_detections
from .pose_files import poses_in_frame, read_poses

NAMED = 5  # missing images that a message names


def attach_detections(
    items: Sequence[dict], path: str, metainfo: Mapping, detector_classes: Sequence[str] | None = None
) -> None:
    """Give every item of a data list its ``detections``, in place; says how many images the file is silent about.

    Args:
        items (Sequence[dict]): with ``img_path``.
        path (str): see :func:`~.detection_files.read_detections`.
        metainfo (Mapping): ``classes`` and ``category_ids`` of the data set.
        detector_classes (Sequence[str], optional): names of the detector's labels in a pickle. Default None: they are
            the data set's.

    Raises:
        FileNotFoundError, DetectionError, CheckpointError: see :func:`~.detection_files.read_detections`.
    """
    ids, classes = metainfo["category_ids"], metainfo["classes"]
    class_map = ClassMap(ids) if detector_classes is None else ClassMap.by_name(ids, classes, detector_classes)
    found, missing = read_detections(path, [osp.basename(item["img_path"]) for item in items], class_map)
    for item, detections in zip(items, found, strict=True):
        item["detections"] = dict(boxes=detections.boxes, labels=detections.labels, scores=detections.scores, file=path)
    if missing:
        names = ", ".join(missing[:NAMED]) + (" ..." if len(missing) > NAMED else "")
        print_log(
            f"{path}: nothing about {len(missing)} of {len(items)} images, which get no pair: {names}",
            logger="current",
            level=logging.WARNING,
        )


def attach_poses(items: Sequence[dict], path: str) -> None:
    """Give every item of a data list its ``poses``, in place; see :func:`~.pose_files.read_poses`."""
    for item, poses in zip(items, read_poses(path, [osp.basename(item["img_path"]) for item in items]), strict=True):
        item["poses"] = poses


def detections_in_frame(results: Mapping) -> InstanceData:
    """Detections of a sample, in pixels of the image as the transforms left it.

    Boxes are clipped to the image; those without area in it are dropped, and a warning tells how many.

    Args:
        results (Mapping): ``detections``, ``ori_shape``, ``img_shape``, and where transforms gave them
            ``scale_factor``, ``flip``, ``flip_direction``.

    Returns:
        InstanceData: ``bboxes`` (N, 4) x1, y1, x2, y2, ``labels`` (N,), ``scores`` (N,).

    Raises:
        DetectionError: the image was cropped or otherwise changed.
    """
    height, width = results["img_shape"][:2]
    scale = _scale(results)
    limit = np.array([width, height] * 2, np.float32)
    boxes = np.clip(results["detections"]["boxes"] * np.tile(scale, 2), 0, limit)
    if results.get("flip"):
        boxes = np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], 1)
    kept = (boxes[:, 2:] > boxes[:, :2]).all(1)
    if not kept.all():
        print_log(  # mmengine shows equal warnings once
            f"{results['detections'].get('file', 'Detections')}: {(~kept).sum()} of {len(kept)} boxes of "
            f"{results['img_path']} have no area inside of the image, and are left out. Their corners must be pixels "
            "of the original image; detect again if they are of a resized one.",
            logger="current",
            level=logging.WARNING,
        )
    return InstanceData(
        bboxes=torch.from_numpy(boxes[kept]),
        labels=torch.from_numpy(results["detections"]["labels"][kept]),
        scores=torch.from_numpy(results["detections"]["scores"][kept]),
    )


def poses_of_sample(results: Mapping) -> InstanceData:
    """``keypoints`` (K, 17, 3) of a sample's ``poses``, in pixels of the image as the transforms left it.

    Args:
        results (Mapping): ``poses`` and what :func:`detections_in_frame` needs of the transforms.
    """
    poses = poses_in_frame(results["poses"], _scale(results), results["img_shape"][1], bool(results.get("flip")))
    return InstanceData(keypoints=torch.from_numpy(poses))


def _scale(results: Mapping) -> np.ndarray:
    """(2,) factors of x and y that the transforms resized by; checks that they did no more than resize and flip."""
    (height, width), (ori_height, ori_width) = results["img_shape"][:2], results["ori_shape"][:2]
    scale = np.array(results.get("scale_factor", (1.0, 1.0)), np.float32)
    if (round(ori_width * scale[0]), round(ori_height * scale[1])) != (width, height):
        raise DetectionError(
            f"{results['img_path']}: {ori_width} x {ori_height} pixels became {width} x {height} by more than a "
            "resize. Stored detections follow Resize and horizontal RandomFlip; take the rest out of the pipeline."
        )
    if results.get("flip") and results.get("flip_direction") != "horizontal":
        raise DetectionError(f"{results['img_path']}: stored detections follow horizontal flips only.")
    return scale
