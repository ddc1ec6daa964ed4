"""Drawings as lists of strokes and polygons, movable before they become pixels."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

Colour = tuple[int, int, int]


class Shape(NamedTuple):
    """A round-capped polyline, or a filled polygon if ``width`` is 0.

    A polyline of a single point is a disc of diameter ``width``.
    """

    points: np.ndarray  # (N, 2) float
    width: float
    colour: Colour  # RGB


@dataclass(frozen=True)
class Figure:
    """One drawn person or object.

    Coordinates are x to the right and y up in units of a standing person's height, until
    :meth:`to_pixels`.

    Args:
        label: index into ``TOY_CLASSES``.
        shapes: what to draw, from back to front.
        anchors: named points, (2,) each, that interactions attach to.
    """

    label: int
    shapes: list[Shape]
    anchors: dict[str, np.ndarray] = field(default_factory=dict)

    @cached_property
    def extent(self) -> np.ndarray:
        """Smallest box (x_min, y_min, x_max, y_max) around all shapes."""
        low = np.min([s.points.min(0) - s.width / 2 for s in self.shapes], axis=0)
        high = np.max([s.points.max(0) + s.width / 2 for s in self.shapes], axis=0)
        return np.concatenate([low, high])

    def moved(self, x: float, y: float = 0.0) -> "Figure":
        """The figure shifted by (x, y)."""
        return self._mapped(np.eye(2), np.array([x, y]))

    def mirrored(self) -> "Figure":
        """The figure reflected at x = 0."""
        return self._mapped(np.diag([-1.0, 1.0]), np.zeros(2))

    def tilted(self, degrees: float, about: np.ndarray) -> "Figure":
        """The figure turned counter-clockwise around a point."""
        cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        matrix = np.array([[cos, -sin], [sin, cos]])
        return self._mapped(matrix, about - matrix @ about)

    def to_pixels(self, x: float, y: float, scale: float) -> "Figure":
        """The figure in image coordinates (y down), its origin at pixel (x, y)."""
        return self._mapped(np.diag([scale, -scale]), np.array([x, y]), scale)

    def _mapped(self, matrix: np.ndarray, offset: np.ndarray, zoom: float = 1.0) -> "Figure":
        shapes = [Shape(p @ matrix.T + offset, w * zoom, c) for p, w, c in self.shapes]
        anchors = {name: matrix @ point + offset for name, point in self.anchors.items()}
        return Figure(self.label, shapes, anchors)


def union_extent(figures: list[Figure]) -> np.ndarray:
    """Smallest box (x_min, y_min, x_max, y_max) around several figures."""
    extents = np.array([figure.extent for figure in figures])
    return np.concatenate([extents[:, :2].min(0), extents[:, 2:].max(0)])


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection area of two boxes (4,) over the area of the smaller one."""
    sides = np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2])
    areas = [np.prod(box[2:] - box[:2]) for box in (first, second)]
    return float(np.prod(sides.clip(0)) / min(areas))


def stroke(points: list, width: float, colour: Colour) -> Shape:
    """A polyline; one point gives a disc."""
    return Shape(np.asarray(points, dtype=float).reshape(-1, 2), width, colour)


def polygon(points: list, colour: Colour) -> Shape:
    """A filled polygon."""
    return Shape(np.asarray(points, dtype=float).reshape(-1, 2), 0.0, colour)


def arc(centre: tuple[float, float], radii: tuple[float, float], start: float = 0.0, stop: float = 360.0) -> np.ndarray:
    """Points (19, 2) on an ellipse between two angles in degrees, counter-clockwise from +x."""
    angles = np.radians(np.linspace(start, stop, 19))
    return np.asarray(centre) + np.asarray(radii) * np.stack([np.cos(angles), np.sin(angles)], 1)


def shade(colour: Colour, factor: float) -> Colour:
    """A darker (factor < 1) or lighter version of a colour."""
    return tuple(int(min(255, channel * factor)) for channel in colour)
