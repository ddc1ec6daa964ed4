"""Pair maps one pair at a time with OpenCV: the oracle of the tests, and the other side of the benchmark."""

import math

import cv2
import numpy as np

SIZE = 64
LINES = [
    (1, 3), (2, 4), (0, 1), (0, 2), (0, 17), (5, 17), (6, 17), (5, 7), (6, 8), (7, 9), (8, 10), (11, 17), (12, 17),
    (11, 13), (12, 14), (13, 15), (14, 16),
]  # fmt: skip


def place(sub, obj):
    """Both boxes in the map, lists of four floats."""
    x0, y0 = min(sub[0], obj[0]), min(sub[1], obj[1])
    width, height = max(sub[2], obj[2]) - x0 + 1, max(sub[3], obj[3]) - y0 + 1
    longer = max(width, height)
    ratio = SIZE / longer
    placed = []
    for x1, y1, x2, y2 in (sub, obj):
        placed.append(
            [
                ratio * (x1 - x0),
                ratio * (y1 - y0),
                (ratio * width - 1) - ratio * (width - 1 - (x2 - x0)),
                (ratio * height - 1) - ratio * (height - 1 - (y2 - y0)),
            ]
        )
    long_axis = 0 if width >= height else 1
    far = 2 + long_axis
    placed[0 if placed[0][far] > placed[1][far] else 1][far] = SIZE - 1
    short_axis = 1 - long_axis
    shift = SIZE / 2 - (max(box[2 + short_axis] for box in placed) + 1) / 2
    for box in placed:
        box[short_axis] += shift
        box[2 + short_axis] += shift
    return [[float(round(value)) for value in box] for box in placed]


def away_from_zero(value):
    """Rounding of Python 2."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def pair_map(sub, obj, pose=None):
    """(3, 64, 64) map of one pair; ``pose`` is (17, 2 or 3) or None."""
    maps = np.zeros((3, SIZE, SIZE), np.float32)
    sub_box, obj_box = place(sub, obj)
    for channel, box in ((0, sub_box), (1, obj_box)):
        x1, y1, x2, y2 = (int(value) for value in box)
        maps[channel, y1 : y2 + 1, x1 : x2 + 1] = 1
    if pose is None:
        maps[2] = 0.05 * maps[0]
        return maps
    joints = []
    for x, y in np.asarray(pose)[:, :2]:
        scaled = (
            sub_box[0] + (x - sub[0]) / (sub[2] - sub[0] + 1) * (sub_box[2] - sub_box[0] + 1),
            sub_box[1] + (y - sub[1]) / (sub[3] - sub[1] + 1) * (sub_box[3] - sub_box[1] + 1),
        )
        joints.append([min(SIZE - 1, away_from_zero(value)) for value in scaled])
    joints.append([int((joints[5][axis] + joints[6][axis]) / 2) for axis in (0, 1)])
    canvas = np.zeros((SIZE, SIZE), np.float32)
    for i, (a, b) in enumerate(LINES):
        cv2.line(canvas, joints[a], joints[b], 0.15 + 0.05 * i)
    maps[2] = canvas
    return maps
