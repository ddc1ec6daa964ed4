"""Draw human-object pairs on an image. Knows pixels and texts, nothing of samples or models."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from .labels import Box, LabelSheet, font_of

# Bright on photographs and on each other (Sasha Trubetskoy's list of distinct colours, reordered).
PALETTE = (
    (255, 225, 25), (60, 180, 75), (0, 130, 200), (245, 130, 48), (240, 50, 230), (70, 240, 240),
    (230, 25, 75), (210, 245, 60), (250, 190, 212), (0, 128, 128), (220, 190, 255), (170, 110, 40),
)  # fmt: skip
MIN_SIDE, MAX_SIDE = 420, 2400  # smaller images are enlarged, so that text stays readable beside boxes
GREY = (110, 110, 110)


@dataclass(frozen=True)
class PairView:
    """One pair as it is shown.

    Args:
        sub_box (tuple): x1, y1, x2, y2 in pixels of the image.
        obj_box (tuple, optional): likewise, None when the pair has no object.
        text (str): label, one line per verb, e.g. ``ride bicycle 0.83``. Empty: no label.
        colour (int, optional): number of the pair's colour, for one that keeps it through several pictures. Default:
            its position.
    """

    sub_box: Box
    obj_box: Box | None
    text: str
    colour: int | None = None


def colour_of(number: int) -> tuple[int, int, int]:
    """RGB of the n-th pair."""
    return PALETTE[number % len(PALETTE)]


def draw_pairs(image: np.ndarray, pairs: Sequence[PairView], title: str = "") -> np.ndarray:
    """Draw subject boxes (solid), object boxes (dashed), an arrow from subject to object and one label per pair.

    Args:
        image (ndarray): (H, W, 3) uint8 RGB.
        pairs (Sequence[PairView]): best first; it is drawn last, on top, and its label finds its place first.
        title (str): caption above the picture. Default: empty.

    Returns:
        ndarray: (H', W', 3) uint8 RGB, enlarged when the image is small, shrunk when it is huge. Extremely narrow
        images get a grey margin.
    """
    canvas, factor = _canvas(image)
    draw = ImageDraw.Draw(canvas)
    unit = max(2, round(min(canvas.size) / 240))
    scaled = [(_scaled(p.sub_box, factor, image), p.obj_box and _scaled(p.obj_box, factor, image)) for p in pairs]
    colours = [colour_of(i if pair.colour is None else pair.colour) for i, pair in enumerate(pairs)]
    # From the worst to the best, which lies on top.
    for (sub_box, obj_box), colour in reversed(list(zip(scaled, colours, strict=True))):
        _draw_pair(draw, sub_box, obj_box, colour, unit)
    labels = LabelSheet(draw, canvas.size, [obj_box for _, obj_box in scaled if obj_box is not None])
    for pair, (sub_box, _), colour in zip(pairs, scaled, colours, strict=True):
        if pair.text:
            labels.put(pair.text, sub_box, colour)
    return np.asarray(canvas) if not title else captioned(np.asarray(canvas), title)


def captioned(picture: np.ndarray, caption: str) -> np.ndarray:
    """A picture with a line of text above it, in smaller letters where it is narrow."""
    size = max(14, min(picture.shape[:2]) // 26)
    while size > 9 and font_of(size).getlength(caption) > picture.shape[1] - 12:
        size -= 1
    bar = Image.new("RGB", (picture.shape[1], max(size, 14) + 12), (24, 24, 24))
    ImageDraw.Draw(bar).text((6, 4), caption, fill=(255, 255, 255), font=font_of(size))
    return np.vstack([np.asarray(bar), picture])


def side_by_side(panels: Sequence[np.ndarray], gap: int = 8) -> np.ndarray:
    """Equally high pictures in a row, with a white gap."""
    spaced = [part for panel in panels for part in (np.full((panel.shape[0], gap, 3), 255, np.uint8), panel)]
    return np.hstack(spaced[1:])


def _canvas(image: np.ndarray) -> tuple[Image.Image, float]:
    """Image in a size to look at, and the factor from its pixels to those of the canvas."""
    height, width = image.shape[:2]
    factor = min(max(1.0, MIN_SIDE / min(height, width)), MAX_SIDE / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    scaled = Image.fromarray(np.ascontiguousarray(image)).resize(size, Image.Resampling.BILINEAR)
    if min(size) >= MIN_SIDE // 4:
        return scaled, factor
    canvas = Image.new("RGB", tuple(max(side, MIN_SIDE // 2) for side in size), GREY)
    canvas.paste(scaled)
    return canvas, factor


def _scaled(box: Box, factor: float, image: np.ndarray) -> Box:
    """Box in canvas pixels, ordered (a network may predict x2 < x1) and clipped to the image."""
    height, width = image.shape[:2]
    limits = (width, height) * 2
    x1, y1, x2, y2 = (float(np.clip(v, 0, limit)) * factor for v, limit in zip(box, limits, strict=True))
    right, bottom = width * factor - 1, height * factor - 1
    return min(x1, x2, right), min(y1, y2, bottom), min(max(x1, x2), right), min(max(y1, y2), bottom)


def _draw_pair(draw: ImageDraw.ImageDraw, sub_box: Box, obj_box: Box | None, colour: tuple, unit: int) -> None:
    _rectangle(draw, sub_box, colour, unit)
    if obj_box is not None:
        _dashed_rectangle(draw, obj_box, colour, unit)
        _arrow(draw, _centre(sub_box), _centre(obj_box), colour, unit)


def _rectangle(draw: ImageDraw.ImageDraw, box: Box, colour: tuple, unit: int) -> None:
    draw.rectangle(_grown(box), outline=(0, 0, 0), width=unit + 2)
    draw.rectangle(box, outline=colour, width=unit)


def _dashed_rectangle(draw: ImageDraw.ImageDraw, box: Box, colour: tuple, unit: int) -> None:
    """Coloured dashes on a black frame: seen on bright and dark ground."""
    draw.rectangle(_grown(box), outline=(0, 0, 0), width=unit + 2)
    x1, y1, x2, y2 = box
    corners = [(x1, y1), (x2, y1), (x2, y2), (x1, y2), (x1, y1)]
    inset = (unit - 1) / 2  # lines are centred, the frame's outline lies inside of the box
    corners = [(min(max(x, x1 + inset), x2 - inset), min(max(y, y1 + inset), y2 - inset)) for x, y in corners]
    for (ax, ay), (bx, by) in zip(corners, corners[1:], strict=False):
        dashes = max(1, int(np.hypot(bx - ax, by - ay) / (5 * unit)))
        at = np.linspace(0, 1, 2 * dashes)
        for t0, t1 in zip(at[::2], at[1::2], strict=True):
            draw.line([(ax + t * (bx - ax), ay + t * (by - ay)) for t in (t0, t1)], fill=colour, width=unit)


def _arrow(draw: ImageDraw.ImageDraw, start: tuple, end: tuple, colour: tuple, unit: int) -> None:
    """From a dot in the subject to a head in the object; no head where the two centres nearly coincide."""
    draw.line([start, end], fill=(0, 0, 0), width=unit + 2)
    draw.line([start, end], fill=colour, width=unit)
    radius = 2 * unit
    length = float(np.hypot(end[0] - start[0], end[1] - start[1]))
    if length > 4 * unit:
        along = np.subtract(end, start) / length
        across = np.array([-along[1], along[0]])
        tip = np.add(end, unit * along)
        corners = [tip, tip - 5 * unit * along + 2.5 * unit * across, tip - 5 * unit * along - 2.5 * unit * across]
        draw.polygon([tuple(map(float, corner)) for corner in corners], fill=colour, outline=(0, 0, 0))
    x, y = start
    draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=colour, outline=(0, 0, 0))


def _grown(box: Box) -> Box:
    return box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1


def _centre(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
