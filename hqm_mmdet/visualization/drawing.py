"""Draw human-object pairs on an image. Knows pixels and texts, nothing of samples or models."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Box = tuple[float, float, float, float]
# Bright on photographs and on each other (Sasha Trubetskoy's list of distinct colours, reordered).
PALETTE = (
    (255, 225, 25), (60, 180, 75), (0, 130, 200), (245, 130, 48), (240, 50, 230), (70, 240, 240),
    (230, 25, 75), (210, 245, 60), (250, 190, 212), (0, 128, 128), (220, 190, 255), (170, 110, 40),
)  # fmt: skip
MIN_SIDE = 420  # smaller images are enlarged, so that text stays readable beside boxes


@dataclass(frozen=True)
class PairView:
    """One pair as it is shown.

    Args:
        sub_box (tuple): x1, y1, x2, y2 in pixels of the image.
        obj_box (tuple, optional): likewise, None when the pair has no object.
        text (str): label, e.g. ``ride bicycle 0.83``.
    """

    sub_box: Box
    obj_box: Box | None
    text: str


def draw_pairs(image: np.ndarray, pairs: Sequence[PairView], title: str = "") -> np.ndarray:
    """Draw subject boxes (solid), object boxes (dashed), a link between their centres and one label per pair.

    Args:
        image (ndarray): (H, W, 3) uint8 RGB.
        pairs (Sequence[PairView]): drawn in this order; the n-th pair has the n-th colour.
        title (str): caption above the picture.

    Returns:
        ndarray: (H', W', 3) uint8 RGB, enlarged when the image is small.
    """
    factor = max(1.0, MIN_SIDE / min(image.shape[:2]))
    size = (round(image.shape[1] * factor), round(image.shape[0] * factor))
    canvas = Image.fromarray(np.ascontiguousarray(image)).resize(size, Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(canvas)
    unit = max(2, round(min(size) / 240))
    font = ImageFont.load_default(size=max(12, min(size) // 32))
    scaled = [(_scaled(p.sub_box, factor, size), p.obj_box and _scaled(p.obj_box, factor, size)) for p in pairs]
    for i, (sub_box, obj_box) in enumerate(scaled):
        _draw_pair(draw, sub_box, obj_box, PALETTE[i % len(PALETTE)], unit)
    taken: list[Box] = []
    for i, (pair, (sub_box, _)) in enumerate(zip(pairs, scaled, strict=True)):
        _draw_label(draw, pair.text, sub_box, size, PALETTE[i % len(PALETTE)], font, taken)
    return _with_title(canvas, title)


def _scaled(box: Box, factor: float, size: tuple[int, int]) -> Box:
    """Box in canvas pixels, clipped to the canvas."""
    limits = (size[0] - 1, size[1] - 1) * 2
    return tuple(float(np.clip(value * factor, 0, limit)) for value, limit in zip(box, limits, strict=True))


def _draw_pair(draw: ImageDraw.ImageDraw, sub_box: Box, obj_box: Box | None, colour: tuple, unit: int) -> None:
    _rectangle(draw, sub_box, colour, unit)
    if obj_box is None:
        return
    _dashed_rectangle(draw, obj_box, colour, unit)
    start, end = _centre(sub_box), _centre(obj_box)
    draw.line([start, end], fill=(0, 0, 0), width=unit + 2)
    draw.line([start, end], fill=colour, width=unit)
    radius = 2 * unit
    for x, y in (start, end):
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=colour, outline=(0, 0, 0))


def _rectangle(draw: ImageDraw.ImageDraw, box: Box, colour: tuple, unit: int) -> None:
    draw.rectangle(_ordered(box), outline=(0, 0, 0), width=unit + 1)
    draw.rectangle(_ordered(box), outline=colour, width=unit)


def _dashed_rectangle(draw: ImageDraw.ImageDraw, box: Box, colour: tuple, unit: int) -> None:
    x1, y1, x2, y2 = _ordered(box)
    corners = [(x1, y1), (x2, y1), (x2, y2), (x1, y2), (x1, y1)]
    for (ax, ay), (bx, by) in zip(corners, corners[1:], strict=False):
        dashes = max(1, int(np.hypot(bx - ax, by - ay) / (4 * unit)))
        at = np.linspace(0, 1, 2 * dashes)
        for t0, t1 in zip(at[::2], at[1::2], strict=True):
            points = [(ax + t * (bx - ax), ay + t * (by - ay)) for t in (t0, t1)]
            draw.line(points, fill=(0, 0, 0), width=unit + 1)
            draw.line(points, fill=colour, width=unit)


def _draw_label(draw, text: str, anchor: Box, size: tuple[int, int], colour: tuple, font, taken: list[Box]) -> None:
    """Put the label at the subject's upper edge, moved down past labels that are already there."""
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    width, height = right - left + 8, bottom - top + 6
    x = min(max(0, anchor[0]), max(0, size[0] - width))
    y = max(0, anchor[1] - height)
    while any(_overlap((x, y, x + width, y + height), box) for box in taken) and y + height < size[1]:
        y += height + 1
    taken.append((x, y, x + width, y + height))
    draw.rectangle(taken[-1], fill=colour)
    dark = np.dot(colour, (0.299, 0.587, 0.114)) < 110
    draw.text((x + 4 - left, y + 3 - top), text, fill=(255, 255, 255) if dark else (0, 0, 0), font=font)


def _with_title(canvas: Image.Image, title: str) -> np.ndarray:
    if not title:
        return np.asarray(canvas)
    font = ImageFont.load_default(size=max(14, min(canvas.size) // 26))
    bar = Image.new("RGB", (canvas.width, font.size + 14), (24, 24, 24))
    ImageDraw.Draw(bar).text((8, 5), title, fill=(255, 255, 255), font=font)
    return np.vstack([np.asarray(bar), np.asarray(canvas)])


def _centre(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _ordered(box: Box) -> Box:
    """A network may predict x2 < x1; PIL refuses to draw that."""
    return min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3])


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
