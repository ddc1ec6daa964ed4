"""Finding room in an image for groups and idle figures."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from .group import Group
from .shapes import overlap, union_extent

_SCALE = (0.42, 0.6)  # standing height over the shorter image side
_GAP = (0.06, 0.25)  # between an idle figure and its neighbour, in standing heights
_TRIES = 40


@dataclass(frozen=True)
class Spread:
    """Distribution of places, relative to the room that a group has in the image.

    Args:
        corner: None covers the image evenly; otherwise most places are near the corner
            (0 = left or 1 = right, 0 = top or 1 = bottom).
    """

    corner: tuple[int, int] | None = None

    def sample(self, rng: np.random.Generator) -> np.ndarray:
        """Draw (2,) from (0, 0) = upper left to (1, 1) = lower right."""
        if self.corner is None:
            return rng.random(2)
        return np.abs(self.corner - rng.beta(1.2, 4.5, 2))


@dataclass(frozen=True)
class Unit:
    """A group with its place: ground point (x, y) in pixels, pixels per standing height."""

    group: Group
    x: float
    y: float
    scale: float

    @cached_property
    def box(self) -> np.ndarray:
        """Box (4,) around the group: x1, y1, x2, y2 in pixels."""
        x1, y1, x2, y2 = self.scale * union_extent(self.group.figures)
        return np.array([self.x + x1, self.y - y2, self.x + x2, self.y - y1])


@dataclass
class Layout:
    """An image being filled.

    The boxes of units hardly overlap, so nothing comes between a person and an object that the
    person points at, and what is idle is not taken for a part of an interaction.
    """

    height: int
    width: int
    spread: Spread
    rng: np.random.Generator
    units: list[Unit] = field(default_factory=list)

    def place(self, group: Group) -> None:
        """Add a group at a free place; one for which there is no room is dropped."""
        x1, y1, x2, y2 = union_extent(group.figures)
        low, high = np.array(_SCALE) * min(self.height, self.width)
        room = 0.98 * min(self.width / (x2 - x1), self.height / (y2 - y1))
        scale = min(self.rng.uniform(low, high), room)
        for _ in range(_TRIES):
            across, down = self.spread.sample(self.rng)
            x = -x1 * scale + across * (self.width - (x2 - x1) * scale)
            y = y2 * scale + down * (self.height - (y2 - y1) * scale)
            if self._add(Unit(group, x, y, scale)):
                return
            # Smaller at each try, but not so small that figures can't be told apart.
            scale = min(scale, max(0.97 * scale, low))

    def place_beside(self, group: Group) -> None:
        """Add an idle figure, mostly so close to a unit that it could be taken for a part."""
        if not self.units or self.rng.random() < 0.3:
            self.place(group)
            return
        other = self.units[self.rng.integers(len(self.units))]
        gap, rise = self.rng.uniform(*_GAP), self.rng.uniform(-0.06, 0.06)
        x1, _, x2, _ = union_extent(group.figures)
        right = other.box[2] + (gap - x1) * other.scale
        left = other.box[0] - (gap + x2) * other.scale
        for x in self.rng.permutation([left, right]):
            if self._add(Unit(group, x, other.y + rise * other.scale, other.scale)):
                return

    def _add(self, unit: Unit) -> bool:
        x1, y1, x2, y2 = unit.box
        inside = x1 >= 0 and y1 >= 0 and x2 <= self.width and y2 <= self.height
        free = inside and all(overlap(unit.box, other.box) < 0.04 for other in self.units)
        if free:
            self.units.append(unit)
        return free
