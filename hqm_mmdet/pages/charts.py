"""Geometry of charts; ``templates/charts.html.j2`` draws them as inline SVG.

Measures are those of the drawing (``WIDTH`` x ``HEIGHT``), which the page scales to the place there is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

WIDTH, HEIGHT = 520, 340
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 14, 46


@dataclass(frozen=True)
class Axis:
    """An axis and what stands on it.

    Args:
        label (str): what it counts, with the unit.
        low, high (float): its ends.
        log (bool): logarithmic; then ``low`` is above 0.
        scale (float): ticks show the value times this, 100 for percent.
        whole (bool): ticks stand at whole numbers only.
    """

    label: str
    low: float
    high: float
    log: bool = False
    scale: float = 1
    whole: bool = False

    def __post_init__(self):
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ValueError(f"axis {self.label!r} can't reach from {self.low} to {self.high}")

    def at(self, value: float) -> float:
        """Where a value stands: 0 at the low end, 1 at the high end; values beyond them stand at the end."""
        low, high, value = (math.log(v) if self.log else v for v in (self.low, self.high, self._inside(value)))
        return (value - low) / (high - low)

    def _inside(self, value: float) -> float:
        return min(max(value, self.low), self.high)

    @property
    def ticks(self) -> tuple[tuple[float, str], ...]:
        """Position in [0, 1] and text."""
        values = _decades(self.low, self.high) if self.log else _even(self.low, self.high, self.whole)
        return tuple((self.at(value), _short(value * self.scale)) for value in values)


@dataclass(frozen=True)
class Dot:
    """A point of a scatter plot: its value, what is told about it, its series, and its row in a table, if any."""

    x: float
    y: float
    text: str
    series: int = 0
    row: int | None = None


@dataclass(frozen=True)
class Line:
    """A line through points (x, y), of a series; thin and dashed as a ``guide``."""

    points: Sequence[tuple[float, float]]
    series: int = 0
    guide: bool = False


@dataclass(frozen=True)
class Chart:
    """A chart in data coordinates.

    Args:
        title (str): what it shows.
        x, y (Axis): axes.
        dots (Sequence[Dot]), lines (Sequence[Line]): content.
        legend (Sequence[tuple[int, str, str]]): series, ``dot`` or ``line``, text.
        table (str): name of the table whose rows the dots select; empty: none.
    """

    title: str
    x: Axis
    y: Axis
    dots: Sequence[Dot] = ()
    lines: Sequence[Line] = ()
    legend: Sequence[tuple[int, str, str]] = ()
    table: str = ""
    width: int = field(default=WIDTH, init=False)
    height: int = field(default=HEIGHT, init=False)

    @property
    def frame(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom of the area between the axes."""
        return LEFT, TOP, WIDTH - RIGHT, HEIGHT - BOTTOM

    def px(self, fraction: float) -> float:
        """From [0, 1] along the x axis to the drawing."""
        return round(LEFT + fraction * (WIDTH - LEFT - RIGHT), 1)

    def py(self, fraction: float) -> float:
        """From [0, 1] along the y axis to the drawing, whose y points down."""
        return round(HEIGHT - BOTTOM - fraction * (HEIGHT - TOP - BOTTOM), 1)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """From values to the drawing."""
        return self.px(self.x.at(x)), self.py(self.y.at(y))

    def path(self, line: Line) -> str:
        """Points of a line for SVG's ``polyline``."""
        return " ".join(f"{x},{y}" for x, y in (self.place(*point) for point in line.points))


def nice_top(value: float) -> float:
    """A round number at or above a positive value: 1, 2, 2.5 or 5 times a power of ten.

    >>> nice_top(0.034), nice_top(0.5), nice_top(730)
    (0.05, 0.5, 1000.0)
    """
    power = 10.0 ** math.floor(math.log10(value))
    # Rounding must not push an exact 0.5 up to 1.
    factor = next(factor for factor in (1, 2, 2.5, 5, 10) if value <= factor * power * (1 + 1e-9))
    return float(f"{factor * power:.12g}")


def _even(low: float, high: float, whole: bool) -> list[float]:
    step = nice_top((high - low) / 6)
    step = math.ceil(step) if whole else step
    # A tick at the very end must not be lost to rounding.
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _decades(low: float, high: float) -> list[float]:
    """Powers of ten; where there are fewer than three, also 2 and 5 times them."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    factors = (1,) if len(exponents) > 4 else (1, 3) if len(exponents) > 3 else (1, 2, 5)
    values = [factor * 10.0**exponent for exponent in exponents for factor in factors]
    return [value for value in values if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]


def _short(value: float) -> str:
    """``12,000``, ``0.5``."""
    return f"{value:,.6g}" if abs(value) < 1000 else f"{value:,.0f}"
