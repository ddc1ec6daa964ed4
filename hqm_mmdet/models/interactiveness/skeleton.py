"""Skeletons drawn into small maps, all at once."""

import torch
from torch import Tensor

LEFT_SHOULDER, RIGHT_SHOULDER, NECK = 5, 6, 17
# COCO's order: nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles, left first; then the neck.
LIMBS = (
    (1, 3), (2, 4), (0, 1), (0, 2), (0, 17), (5, 17), (6, 17), (5, 7), (6, 8), (7, 9), (8, 10), (11, 17), (12, 17),
    (11, 13), (12, 14), (13, 15), (14, 16),
)  # fmt: skip
# In the order of drawing. They ascend, so "later lines overwrite" is the same as "the largest value wins".
LIMB_VALUES = tuple(0.15 + 0.05 * i for i in range(len(LIMBS)))


def skeleton_pixels(keypoints: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels of all limbs, as OpenCV's ``line`` draws them: one pixel thick, 8-connected, clipped to the map.

    Args:
        keypoints (Tensor): (P, 17, 2) long, x and y in pixels of the map; may lie outside.
        size (int): side of the map.

    Returns:
        tuple[Tensor, Tensor, Tensor]: N pixels: (N,) long, which of the P skeletons; (N,) long, row * size + column;
        (N,) float32, value of the limb. Where limbs cross, a pixel occurs repeatedly and its largest value counts.
    """
    shoulders = keypoints[:, LEFT_SHOULDER] + keypoints[:, RIGHT_SHOULDER]
    neck = torch.div(shoulders, 2, rounding_mode="trunc")
    joints = torch.cat([keypoints, neck[:, None]], 1)  # (P, 18, 2)
    ends = [joints[:, [limb[i] for limb in LIMBS]].flatten(0, 1) for i in (0, 1)]  # (P * 17, 2)
    start, end, visible = _clip(*ends, size)
    line, pixel = _line_pixels(start[visible].float(), end[visible].float(), size)
    lines = visible.nonzero()[:, 0]
    values = torch.tensor(LIMB_VALUES, dtype=torch.float32, device=keypoints.device)[lines % len(LIMBS)]
    return (lines // len(LIMBS)).index_select(0, line), pixel, values.index_select(0, line)


def _line_pixels(start: Tensor, end: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Bresenham's pixels in closed form: (N,) long, which of the lines; (N,) long, row * size + column.

    Lines (L, 2) run from left to right. After k steps along the longer direction, of length d, the shorter one, of
    length e, has advanced by the least m with ``2 d m >= 2 e k - d``. All numbers are small enough for float32.
    """
    swap = end[:, :1] < start[:, :1]
    start, end = torch.where(swap, end, start), torch.where(swap, start, end)
    step = torch.where(end < start, -1.0, 1.0)
    length = (end - start).abs()
    long, short = length.amax(1), length.amin(1)
    # Index of a pixel, and how it changes with a step along the longer (k) and along the shorter direction (m).
    stride = step * step.new_tensor([1.0, size])
    steep = (length[:, 1] > length[:, 0])[:, None]
    along, across = torch.where(steep, stride.flip(1), stride).unbind(1)
    first = start[:, 0] + size * start[:, 1]

    counts = long.long() + 1
    line = torch.repeat_interleave(counts)
    before = (counts.cumsum(0) - counts).index_select(0, line)
    k = (torch.arange(len(line), device=line.device) - before).float()
    # One look-up for all numbers of a line; there are ten times as many pixels as lines.
    table = torch.stack([first, along, across, 2 * short, long, (2 * long).clamp(min=1)])
    first, along, across, rise, offset, divisor = table.index_select(1, line)
    m = ((rise * k - offset) / divisor).ceil()
    return line, (first + along * k + across * m).long()


def _clip(start: Tensor, end: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Ends moved onto the map's border, as OpenCV's ``clipLine`` does: rows first, offsets truncated; and what is left.

    The order and the truncation decide about single pixels, so they are part of the definition.
    """
    start, end = start.clone(), end.clone()
    beyond = torch.zeros_like(start[..., 0], dtype=torch.bool)
    for axis in (1, 0):
        before = (start[..., axis] < 0) & (end[..., axis] < 0)
        behind = (start[..., axis] >= size) & (end[..., axis] >= size)
        beyond |= before | behind
        for moved, fixed in ((start, end), (end, start)):
            _move(moved, fixed, axis, size)
    return start, end, ~beyond


def _move(moved: Tensor, fixed: Tensor, axis: int, size: int) -> None:
    """Move ends that lie beyond the border along ``axis`` onto it, in place."""
    target = moved[..., axis].clamp(0, size - 1)
    offset, run = target - moved[..., axis], fixed[..., axis] - moved[..., axis]
    rise = fixed[..., 1 - axis] - moved[..., 1 - axis]
    shift = (offset.double() * rise / torch.where(run == 0, 1, run)).trunc().long()
    moved[..., 1 - axis] += torch.where(offset == 0, 0, shift)
    moved[..., axis] = target
