"""One interaction group: a person, what the person acts on, and perhaps somebody who joins in."""

from dataclasses import dataclass, field

import numpy as np

from .interactions import ARM_RULES, LEG_RULES, set_idle, set_waving
from .person import Look, Pose, draw_person
from .props import make_prop
from .shapes import Figure, overlap
from .vocabulary import TOY_CLASSES, TOY_IMPLIED, TOY_TRIPLETS

_COMPANIONS = {  # an interaction of the legs may come with one of the arms, and the other way round
    **dict.fromkeys(("sit_on", "stand_on", "kick"), ("hold", "drink_from", "carry", "wave")),
    **dict.fromkeys(("hold", "drink_from", "carry", "wave", "throw"), ("sit_on", "stand_on")),
}
_JOINING = ("push", "kick", "point_at")
_COMPANION_RATE, _JOINING_RATE = 0.3, 0.3


@dataclass
class Group:
    """Figures from back to front, and (subject, object or -1, verb) of the pairs among them."""

    figures: list[Figure] = field(default_factory=list)
    pairs: list[tuple[int, int, str]] = field(default_factory=list)

    def add(self, figure: Figure) -> int:
        """Append a figure and return its index."""
        self.figures.append(figure)
        return len(self.figures) - 1

    def relate(self, subject: int, target: int, verb: str) -> None:
        """Record a pair together with the verb that goes with it."""
        self.pairs.append((subject, target, verb))
        if verb in TOY_IMPLIED:
            self.pairs.append((subject, target, TOY_IMPLIED[verb]))


def build_group(probabilities: np.ndarray, rng: np.random.Generator) -> Group:
    """Draw a triplet and act it out.

    Args:
        probabilities: (len(TOY_TRIPLETS),) of drawing each triplet.
        rng: source of randomness.

    Returns:
        Group in units of the person's height, standing on y = 0, looking left or right.
    """
    verb, name = _draw_triplet(probabilities, rng)
    # One interaction of the legs and one of the arms at most: a limb does one thing.
    chosen = {_limb(verb): (verb, name)}
    if rng.random() < _COMPANION_RATE and verb in _COMPANIONS:
        companion = _draw_triplet(probabilities, rng, _COMPANIONS[verb])
        chosen[_limb(companion[0])] = companion
    group = Group()
    _act(group, chosen.get("legs"), chosen.get("arms"), rng)
    if rng.random() < _JOINING_RATE:
        _join(group, probabilities, rng)
    if rng.random() < 0.5:
        group.figures = [figure.mirrored() for figure in group.figures]
    return group


def idle_person(rng: np.random.Generator) -> Figure:
    """A person without any interaction, looking left or right."""
    pose = Pose()
    set_idle(pose, rng)
    figure = draw_person(pose, Look.sample(rng))
    return figure if rng.random() < 0.5 else figure.mirrored()


def _act(group: Group, legs: tuple | None, arms: tuple | None, rng: np.random.Generator) -> None:
    """Add one person with up to two interactions, and the objects behind and before it."""
    pose, related = Pose(), []
    set_idle(pose, rng)
    if legs:
        prop = LEG_RULES[legs[0]](pose, make_prop(legs[1], rng), rng)
        related.append((group.add(prop), legs[0]))
    front = None
    if arms and arms[0] == "wave":
        set_waving(pose, rng)
        related.append((-1, "wave"))
    elif arms:
        target = idle_person(rng) if arms[1] == "person" else make_prop(arms[1], rng)
        front = ARM_RULES[arms[0]](pose, target, rng)
    subject = group.add(draw_person(pose, Look.sample(rng)))
    if front:
        related.append((group.add(front), arms[0]))
    for target, verb in related:
        group.relate(subject, target, verb)


def _join(group: Group, probabilities: np.ndarray, rng: np.random.Generator) -> None:
    """Let a second person act on an object that stands on the ground, where there is room."""
    index = group.pairs[0][1]
    if index < 0 or group.figures[index].extent[1] > 0.05 or group.figures[index].label == 0:
        return
    label = group.figures[index].label
    verb, _ = _draw_triplet(probabilities, rng, _JOINING, label)
    for mirror in rng.permutation([False, True]):
        person = _joining_person(group.figures[index], verb, mirror, rng)
        others = [f for i, f in enumerate(group.figures) if i != index]
        if person is not None and all(overlap(person.extent, f.extent) < 0.1 for f in others):
            group.relate(group.add(person), index, verb)
            return


def _joining_person(prop: Figure, verb: str, mirror: bool, rng: np.random.Generator) -> Figure | None:
    """Someone acting from the left (``mirror``: the right) of a placed object; None if unsuited."""
    prop = prop.mirrored() if mirror else prop
    left, _, right, _ = prop.extent
    if verb == "push" and prop.anchors["push"][0] > (left + right) / 2:
        return None  # the object is pushed from behind only
    pose = Pose()
    set_idle(pose, rng)
    moved = {**LEG_RULES, **ARM_RULES}[verb](pose, prop, rng)
    person = draw_person(pose, Look.sample(rng)).moved(left - moved.extent[0])
    return person.mirrored() if mirror else person


def _limb(verb: str) -> str:
    return "legs" if verb in LEG_RULES else "arms"


def _draw_triplet(
    probabilities: np.ndarray,
    rng: np.random.Generator,
    verbs: tuple[str, ...] | None = None,
    label: int | None = None,
) -> tuple:
    """One of TOY_TRIPLETS, restricted to some verbs and to one object class if given."""
    allowed = [
        (verbs is None or verb in verbs) and (label is None or name == TOY_CLASSES[label])
        for verb, name in TOY_TRIPLETS
    ]
    weights = probabilities * allowed
    return TOY_TRIPLETS[rng.choice(len(weights), p=weights / weights.sum())]
