"""What mining does to one image, as pictures."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from .drawing import Box, colour_of
from .labels import font_of

HEAT = ((0.0, (0, 0, 64)), (0.35, (60, 20, 160)), (0.7, (230, 90, 60)), (1.0, (255, 240, 140)))  # dark to bright
DROPPED = (0, 255, 120)


def draw_shift(image: np.ndarray, boxes: Sequence[Box], shifted: Sequence[Box], ious: Sequence[float]) -> np.ndarray:
    """Labelled boxes (thin, white) and their shifted ones (coloured) with the IoU of the two.

    Args:
        image (ndarray): (H, W, 3) uint8 RGB.
        boxes, shifted (Sequence): x1, y1, x2, y2 in pixels of the image, in the same order.
        ious (Sequence[float]): of each box and its shifted one.

    Returns:
        ndarray: (H, W, 3) uint8 RGB.
    """
    canvas = Image.fromarray(image)
    draw = ImageDraw.Draw(canvas)
    font = font_of(max(11, min(canvas.size) // 30))
    for i, (box, moved, iou) in enumerate(zip(boxes, shifted, ious, strict=True)):
        colour = colour_of(i)
        draw.rectangle(box, outline=(255, 255, 255), width=1)
        draw.rectangle(moved, outline=colour, width=3)
        draw.text(
            (moved[0] + 4, moved[1] + 2), f"{iou:.2f}", fill=colour, font=font, stroke_width=2, stroke_fill=(0, 0, 0)
        )
    return np.asarray(canvas)


def draw_attention(image: np.ndarray, weights: np.ndarray, dropped: np.ndarray | None = None) -> np.ndarray:
    """An attention map over the image; cells that some head may not see get a green dot, the larger the more heads.

    Args:
        image (ndarray): (H, W, 3) uint8 RGB.
        weights (ndarray): (h, w), of one query.
        dropped (ndarray, optional): (h, w) share of heads, in [0, 1], for which the cell is masked.

    Returns:
        ndarray: (H, W, 3) uint8 RGB.
    """
    # By its own maximum: layers and heads differ in scale, and their places are compared.
    scaled = Image.fromarray((weights / max(float(weights.max()), 1e-12) * 255).astype(np.uint8))
    strength = np.asarray(scaled.resize((image.shape[1], image.shape[0]), Image.Resampling.BICUBIC)) / 255.0
    stops = np.array([stop for stop, _ in HEAT])
    colours = np.stack([np.interp(strength, stops, [colour[c] for _, colour in HEAT]) for c in range(3)], -1)
    grey = np.asarray(Image.fromarray(image).convert("L"))[..., None]  # all colour is heat
    opacity = (0.25 + 0.5 * strength)[..., None]  # where the query does not look the image stays visible
    blended = Image.fromarray(((1 - opacity) * grey + opacity * colours).astype(np.uint8))
    if dropped is not None:
        _draw_dots(
            ImageDraw.Draw(blended), dropped, image.shape[1] / dropped.shape[1], image.shape[0] / dropped.shape[0]
        )
    return np.asarray(blended)


def _draw_dots(draw: ImageDraw.ImageDraw, dropped: np.ndarray, width: float, height: float) -> None:
    for row, column in zip(*np.nonzero(dropped), strict=True):
        x, y = (column + 0.5) * width, (row + 0.5) * height
        radius = 0.35 * min(width, height) * float(dropped[row, column]) ** 0.5
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=DROPPED)


def grid(rows: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Equally large pictures in rows and columns; short rows are filled up with white."""
    height, width = rows[0][0].shape[:2]
    columns = max(map(len, rows))
    sheet = np.full((len(rows) * (height + 8), columns * (width + 8), 3), 255, np.uint8)
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            top, left = i * (height + 8), j * (width + 8)
            sheet[top : top + height, left : left + width] = picture
    return sheet
