"""Rendering: figures over a cluttered background, and the boxes of what stays visible."""

import cv2
import numpy as np

from .scene import Scene
from .shapes import Figure, Shape

_ZOOM = 3  # supersampling; the image is averaged down for smooth edges
_SHIFT = 4  # fractional bits of OpenCV's drawing coordinates
_INK = (38, 32, 36)


def render(scene: Scene, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw a scene.

    Args:
        scene: what to draw.
        rng: source of randomness of the background.

    Returns:
        Image (H, W, 3) uint8 RGB, and boxes (figures, 4) int: x1, y1, x2, y2 in pixel edges (the
        last visible column is x2 - 1), tight around the pixels not hidden by figures in front.
    """
    canvas = paint_background(scene, rng)
    owner = np.zeros(canvas.shape[:2], np.uint8)
    for number, figure in enumerate(scene.figures, start=1):
        _draw_figure(canvas, owner, figure, number)
    image = cv2.resize(canvas, (scene.width, scene.height), interpolation=cv2.INTER_AREA)
    boxes = [_visible_box(owner == number + 1) for number in range(len(scene.figures))]
    return image, np.array(boxes, dtype=int).reshape(-1, 4)


def paint_background(scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """Wall, floor and clutter (H * 3, W * 3, 3) in muted colours without outlines."""
    height, width = scene.height * _ZOOM, scene.width * _ZOOM
    wall, floor = rng.integers(120, 200, (2, 1)) + rng.integers(-25, 26, (2, 3))
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = wall
    canvas[int(_ZOOM * scene.ground * rng.uniform(0.6, 0.95)) :] = floor
    for _ in range(rng.integers(8, 22)):
        _draw_clutter(canvas, rng)
    texture = rng.integers(0, 50, (scene.height // 8, scene.width // 8), dtype=np.uint8)
    texture = cv2.resize(texture, (width, height))
    return cv2.subtract(canvas, cv2.merge([texture] * 3))


def _draw_clutter(canvas: np.ndarray, rng: np.random.Generator) -> None:
    """One rectangle, triangle or line of a colour near the one under it."""
    height, width = canvas.shape[:2]
    centre = rng.integers(0, (width, height))
    under = canvas[centre[1], centre[0]].astype(int)
    colour = tuple(int(c) for c in (under + rng.integers(-45, 46, 3)).clip(60, 235))
    size = rng.uniform(0.05, 0.25) * height
    if rng.random() < 0.35:
        corners = rng.uniform(-2, 2, (2, 2))
        cv2.polylines(
            canvas,
            [(centre + size * corners).astype(np.int32)],
            False,
            colour,
            int(rng.integers(2, 9)),
        )
    else:
        corners = rng.uniform(-1, 1, (3, 2))
        if rng.random() < 0.6:
            corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * corners[0]
        cv2.fillPoly(canvas, [(centre + size * corners).astype(np.int32)], colour)


def _draw_figure(canvas: np.ndarray, owner: np.ndarray, figure: Figure, number: int) -> None:
    """Draw with a dark outline, and mark the pixels of the figure in ``owner``."""
    for shape in figure.shapes:
        # The outline is part of the figure, so it covers what lies behind, and boxes hold it.
        _draw_shape(canvas, shape, _INK, outline=_ZOOM)
        _draw_shape(owner, shape, number, outline=_ZOOM)
        _draw_shape(canvas, shape, shape.colour, outline=0)


def _draw_shape(canvas: np.ndarray, shape: Shape, colour: int | tuple, outline: int) -> None:
    points = np.round(shape.points * (_ZOOM << _SHIFT)).astype(np.int32)
    thickness = max(1, round(shape.width * _ZOOM)) + outline
    if not shape.width:
        cv2.fillPoly(canvas, [points], colour, shift=_SHIFT)
        if outline:
            cv2.polylines(canvas, [points], True, colour, outline, shift=_SHIFT)
    elif len(points) == 1:
        cv2.circle(canvas, tuple(map(int, points[0])), thickness << (_SHIFT - 1), colour, -1, shift=_SHIFT)
    else:
        cv2.polylines(canvas, [points], False, colour, thickness, shift=_SHIFT)


def _visible_box(mask: np.ndarray) -> tuple[int, int, int, int]:
    # Outer edges: a pixel that is covered in part belongs to the box.
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return x // _ZOOM, y // _ZOOM, -(-(x + width) // _ZOOM), -(-(y + height) // _ZOOM)
