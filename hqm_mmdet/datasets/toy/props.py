"""The objects: each is a drawing of height 1 on the ground line, scaled to the person.

Anchors: ``seat`` is where one sits or stands, ``grip`` where a hand holds, ``push`` where hands
push from behind, ``handle`` where a rider's hands go. Objects with a front look towards +x.
"""

from collections.abc import Callable

import numpy as np

from .shapes import Colour, Figure, Shape, arc, polygon, shade, stroke
from .vocabulary import TOY_CLASSES

Drawing = tuple[list[Shape], dict[str, tuple[float, float]]]

_BRIGHT = ((225, 60, 50), (40, 110, 220), (30, 160, 80), (245, 200, 40), (160, 70, 190))
_WOOD = ((150, 100, 55), (120, 70, 40), (185, 140, 85))
_CARDBOARD = ((205, 165, 110), (185, 145, 95), (220, 185, 135))
_COATS = ((110, 70, 45), (165, 115, 70), (90, 85, 85), (225, 215, 200))


def _ball(rng: np.random.Generator) -> Drawing:
    colour = _pick(rng, _BRIGHT)
    shapes = [
        stroke([(0, 0.5)], 1.0, colour),
        polygon(arc((0, 0.5), (0.2, 0.5)), (250, 250, 250)),
        stroke([(0, 0.5)], 0.22, shade(colour, 0.6)),
    ]
    return shapes, {"seat": (0, 1.0), "grip": (-0.35, 0.45)}


def _bicycle(rng: np.random.Generator) -> Drawing:
    colour = _pick(rng, _BRIGHT)
    rear, front, pedal = (-0.56, 0.33), (0.56, 0.33), (-0.05, 0.33)
    saddle, bar = (-0.22, 0.88), (0.42, 0.98)
    wheels = [stroke(arc(hub, (0.3, 0.3)), 0.07, (60, 60, 66)) for hub in (rear, front)]
    frame = [
        (rear, saddle),
        (rear, pedal),
        (pedal, saddle),
        (pedal, (0.4, 0.8)),
        (saddle, (0.4, 0.8)),
        (front, bar),
    ]
    tubes = [stroke(tube, 0.06, colour) for tube in frame]
    grips = [
        stroke([bar, (0.3, 1.0)], 0.07, (40, 40, 40)),
        stroke([(-0.32, 0.9), (-0.12, 0.9)], 0.1, (40, 40, 40)),
    ]
    anchors = {"seat": (-0.22, 0.94), "grip": bar, "handle": bar, "push": (-0.3, 0.9)}
    return [*wheels, *tubes, *grips], anchors


def _box(rng: np.random.Generator) -> Drawing:
    colour, half = _pick(rng, _CARDBOARD), rng.uniform(0.5, 0.65)
    front = polygon([(-half, 0), (half, 0), (half, 1), (-half, 1)], colour)
    tape = [
        stroke([(-half, 0.72), (half, 0.72)], 0.05, shade(colour, 0.7)),
        stroke([(0, 0.72), (0, 0.98)], 0.14, (235, 225, 200)),
    ]
    return [front, *tape], {"seat": (0, 1.0), "grip": (-0.8 * half, 0.4), "push": (-half, 0.75)}


def _chair(rng: np.random.Generator) -> Drawing:
    colour = _pick(rng, _WOOD)
    legs = [stroke([(x, 0.03), (x, 0.44)], 0.07, shade(colour, 0.8)) for x in (-0.36, 0.36)]
    back = stroke([(-0.36, 0.44), (-0.42, 0.95)], 0.1, colour)
    seat = stroke([(-0.36, 0.44), (0.38, 0.44)], 0.11, shade(colour, 1.15))
    anchors = {"seat": (0, 0.49), "grip": (-0.4, 0.7), "push": (-0.42, 0.85)}
    return [*legs, back, seat], anchors


def _cup(rng: np.random.Generator) -> Drawing:
    colour = _pick(rng, _BRIGHT)
    handle = stroke(arc((0.3, 0.5), (0.25, 0.25), -90, 90), 0.1, shade(colour, 0.8))
    body = polygon([(-0.3, 0), (0.28, 0), (0.38, 1), (-0.4, 1)], (248, 248, 245))
    band = polygon([(-0.34, 0.35), (0.32, 0.35), (0.36, 0.7), (-0.38, 0.7)], colour)
    return [handle, body, band], {"seat": (0, 1.0), "grip": (-0.3, 0.4)}


def _horse(rng: np.random.Generator) -> Drawing:
    coat = _pick(rng, _COATS)
    dark = shade(coat, 0.6)
    legs = [stroke([(x, 0.03), (x * 0.9, 0.45)], 0.1, shade(coat, 0.8)) for x in (-0.44, -0.3, 0.3, 0.42)]
    tail = stroke([(-0.48, 0.58), (-0.62, 0.45), (-0.64, 0.3)], 0.08, dark)
    body = stroke([(-0.33, 0.52), (0.33, 0.52)], 0.32, coat)
    mane = stroke([(0.36, 0.66), (0.5, 0.96)], 0.16, dark)
    neck = stroke([(0.4, 0.6), (0.57, 0.86)], 0.2, coat)
    head = [
        stroke([(0.58, 0.88), (0.78, 0.76)], 0.16, coat),
        stroke([(0.55, 0.93), (0.55, 0.98)], 0.07, coat),
        stroke([(0.63, 0.88)], 0.05, (20, 20, 20)),
    ]
    anchors = {
        "seat": (-0.05, 0.68),
        "grip": (0.4, 0.7),
        "handle": (0.4, 0.78),
        "push": (-0.48, 0.58),
    }
    return [tail, *legs, body, mane, neck, *head], anchors


def _umbrella(rng: np.random.Generator) -> Drawing:
    colour = _pick(rng, _BRIGHT)
    canopy = polygon([*arc((0, 0.62), (0.55, 0.36), 0, 180), (-0.28, 0.68), (0, 0.62), (0.28, 0.68)], colour)
    panel = polygon([*arc((0, 0.62), (0.2, 0.36), 20, 160), (0, 0.64)], shade(colour, 1.4))
    shaft = stroke([(0, 0.98), (0, 0.08), (0.06, 0.03), (0.1, 0.08)], 0.045, (70, 50, 40))
    return [shaft, canopy, panel], {"seat": (0, 1.0), "grip": (0, 0.14)}


# class: drawing, smallest and largest height in units of the standing person's height
_PROPS: dict[str, tuple[Callable[[np.random.Generator], Drawing], float, float]] = {
    "ball": (_ball, 0.27, 0.36),
    "bicycle": (_bicycle, 0.52, 0.6),
    "box": (_box, 0.28, 0.38),
    "chair": (_chair, 0.54, 0.6),
    "cup": (_cup, 0.19, 0.25),
    "horse": (_horse, 0.75, 0.9),
    "umbrella": (_umbrella, 0.68, 0.78),
}


def make_prop(name: str, rng: np.random.Generator) -> Figure:
    """Draw an object of random size and colour, standing on y = 0, centred around x = 0.

    Args:
        name: one of ``TOY_CLASSES`` except person.
        rng: source of randomness.

    Returns:
        Figure in person heights, with the anchors of the module docstring and ``centre``.
    """
    drawing, low, high = _PROPS[name]
    shapes, anchors = drawing(rng)
    size = rng.uniform(low, high)
    shapes = [Shape(points * size, width * size, colour) for points, width, colour in shapes]
    points = {key: np.array(point) * size for key, point in anchors.items()}
    points["centre"] = np.array([0.0, size / 2])
    return Figure(TOY_CLASSES.index(name), shapes, points)


def _pick(rng: np.random.Generator, palette: tuple[Colour, ...]) -> Colour:
    return palette[rng.integers(len(palette))]
