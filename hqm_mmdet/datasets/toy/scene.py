"""A whole image before it is drawn: what is in it, and where."""

from dataclasses import dataclass, field

import numpy as np

from .group import Group, build_group, idle_person
from .layout import Layout, Spread
from .props import make_prop
from .settings import ToySettings
from .shapes import Figure
from .vocabulary import TOY_CLASSES, triplet_probabilities

SPLITS = ("train", "test")

_GROUPS = (0.08, 0.40, 0.37, 0.15)  # probability of 0, 1, 2, 3 groups
_IDLE_PERSONS = (0.55, 0.35, 0.10)
_IDLE_PROPS = (0.2, 0.4, 0.3, 0.1)
_SHIFTED = {"train": Spread((0, 1)), "test": Spread((1, 0))}


@dataclass
class Scene:
    """A planned image.

    Args:
        height: image height in pixels.
        width: image width in pixels.
        figures: in pixels, from back to front.
        pairs: (subject, object or -1, verb), indices into ``figures``.
        ground: height in pixels of the farthest ground contact; the floor reaches above it.
    """

    height: int
    width: int
    figures: list[Figure] = field(default_factory=list)
    pairs: list[tuple[int, int, str]] = field(default_factory=list)
    ground: float = 0.0


def sample_scene(settings: ToySettings, split: str, index: int) -> tuple[Scene, np.random.Generator]:
    """Plan image ``index`` of a split.

    Args:
        settings: the data set's settings.
        split: ``train`` or ``test``.
        index: 0-based image index, not bounded by the split's size.

    Returns:
        The scene, and the generator to go on drawing with.

    Raises:
        ValueError: unknown split or negative index.
    """
    if split not in SPLITS or index < 0:
        raise ValueError(f"expected a split out of {SPLITS} and an index >= 0, got {split!r} and {index}")
    rng = np.random.default_rng([settings.seed, SPLITS.index(split), index])
    height, width = rng.integers(settings.min_size, settings.max_size + 1, 2).tolist()
    spread = _SHIFTED[split] if settings.position_shift else Spread()
    layout = Layout(height, width, spread, rng)
    tail = settings.tail_exponent if split == "train" else settings.test_tail_exponent
    for _ in range(_draw_number(_GROUPS, rng)):
        layout.place(build_group(triplet_probabilities(tail), rng))
    for figure in _idle_figures(rng):
        layout.place_beside(Group([figure]))
    return _assemble(layout), rng


def _draw_number(probabilities: tuple[float, ...], rng: np.random.Generator) -> int:
    return int(rng.choice(len(probabilities), p=probabilities))


def _idle_figures(rng: np.random.Generator) -> list[Figure]:
    persons = [idle_person(rng) for _ in range(_draw_number(_IDLE_PERSONS, rng))]
    names = rng.choice(TOY_CLASSES[1:], _draw_number(_IDLE_PROPS, rng))
    return persons + [make_prop(name, rng) for name in names]


def _assemble(layout: Layout) -> Scene:
    """Turn units into one list of figures; those lower in the image stand in front."""
    units = sorted(layout.units, key=lambda unit: unit.y)
    scene = Scene(layout.height, layout.width)
    scene.ground = units[0].y if units else layout.height / 2
    for unit in units:
        first = len(scene.figures)
        scene.figures += [f.to_pixels(unit.x, unit.y, unit.scale) for f in unit.group.figures]
        scene.pairs += [(first + s, o if o < 0 else first + o, v) for s, o, v in unit.group.pairs]
    return scene
