"""What each verb looks like: the pose it needs and where the object then is.

A rule gets the pose (changed in place) and the object, and returns the moved object. Rules of
``LEG_RULES`` also place the hip; those of ``ARM_RULES`` come after them and start from the hands,
so that one person can do one of each, with two objects.
"""

from collections.abc import Callable

import numpy as np

from .person import ARM, Pose
from .shapes import Figure

Rule = Callable[[Pose, Figure, np.random.Generator], Figure]

_STAND = ((7, 3), (-7, -5))
_STRIDE = ((26, 12), (-20, -34))
_SEATED = ((88, 4), (80, -2))
_ASTRIDE = ((52, 2), (40, -12))
_HIGH_SEAT = 0.42  # above it, legs hang astride
_KICK = ((52, 38), (-8, -4))

_IDLE_ARMS = (
    ((8, 14), (-8, 0)),  # hanging
    ((-42, 38), (-8, 0)),  # a hand on the hip
    ((25, 100), (20, 95)),  # as if holding something
    ((22, 30), (-24, -12)),  # swinging
)


def set_idle(pose: Pose, rng: np.random.Generator) -> None:
    """A standing or walking person who does nothing with anything."""
    _set_legs(pose, _STAND if rng.random() < 0.7 else _STRIDE, rng)
    near, far = _IDLE_ARMS[rng.integers(len(_IDLE_ARMS))]
    pose.near_arm, pose.far_arm = _wobble(near, rng), _wobble(far, rng)
    pose.lean = rng.uniform(-4, 6)
    pose.plant()


def _sit_on(pose: Pose, prop: Figure, rng: np.random.Generator) -> Figure:
    high = prop.anchors["seat"][1] > _HIGH_SEAT
    if high:  # not to be taken for riding: upright, hand on the hip, at times facing backwards
        prop = prop.mirrored() if rng.random() < 0.4 else prop
        pose.lean = rng.uniform(-12, -2)
        pose.near_arm, pose.far_arm = _wobble((-42, 38), rng), _wobble((-20, -10), rng)
    _set_legs(pose, _ASTRIDE if high else _SEATED, rng)
    pose.hip = prop.anchors["seat"] + [0.0, 0.05]
    return prop


def _ride(pose: Pose, prop: Figure, rng: np.random.Generator) -> Figure:
    _set_legs(pose, _ASTRIDE, rng)
    pose.lean = rng.uniform(14, 26)
    pose.hip = prop.anchors["seat"] + [0.0, 0.05]
    pose.aim_arms(prop.anchors["handle"])
    return prop


def _stand_on(pose: Pose, prop: Figure, rng: np.random.Generator) -> Figure:
    _set_legs(pose, _STAND, rng)
    pose.hip = np.array(prop.anchors["seat"])
    pose.plant(prop.anchors["seat"][1])
    return prop


def _kick(pose: Pose, prop: Figure, rng: np.random.Generator) -> Figure:
    _set_legs(pose, _KICK, rng)
    pose.lean = rng.uniform(-16, -6)
    pose.plant()
    toe = pose.leg("near")[-1, 0] + 0.08
    return prop.moved(toe - prop.extent[0])


def _push(pose: Pose, prop: Figure, rng: np.random.Generator) -> Figure:
    _set_legs(pose, _STRIDE, rng)
    target = prop.anchors["push"]
    for lean in range(20, 75, 5):  # bend until the hands reach down to the object
        pose.lean = lean + rng.uniform(-2, 2)
        pose.plant()
        drop = pose.shoulder[1] - target[1]
        if drop < 0.75 * ARM:
            break
    reach = np.array([np.sqrt(max(ARM**2 - drop**2, 0.0)), -drop])
    pose.aim_arms(pose.shoulder + reach)
    return prop.moved(pose.shoulder[0] + reach[0] - target[0])


def _hold(pose: Pose, prop: Figure, rng: np.random.Generator) -> Figure:
    pose.near_arm = _wobble((22, 98), rng)
    if prop.extent[2] - prop.extent[0] < 0.4:
        pose.far_arm = (pose.near_arm[0] - 6, pose.near_arm[1] - 8)
    prop = _attach(prop, "grip", pose.arm("near")[-1])
    return prop.tilted(rng.uniform(-10, 10), prop.anchors["grip"])


def _drink_from(pose: Pose, prop: Figure, rng: np.random.Generator) -> Figure:
    pose.near_arm = _wobble((62, 158), rng, 4)
    prop = _attach(prop, "centre", pose.arm("near")[-1] + [0.0, 0.03])
    return prop.tilted(rng.uniform(30, 50), prop.anchors["centre"])


def _carry(pose: Pose, prop: Figure, rng: np.random.Generator) -> Figure:
    pose.near_arm = _wobble((158, 176), rng)
    pose.far_arm = _wobble((-168, -178), rng)
    hands = (pose.arm("near")[-1] + pose.arm("far")[-1]) / 2
    left, bottom, right, _ = prop.extent
    return prop.moved(hands[0] - (left + right) / 2, hands[1] - bottom)


def _throw(pose: Pose, prop: Figure, rng: np.random.Generator) -> Figure:
    angle = rng.uniform(118, 138)
    pose.near_arm, pose.far_arm = (angle, angle), (angle - 14, angle - 8)
    pose.lean += 8
    left, bottom, right, top = prop.extent
    flight = ARM + max(right - left, top - bottom) / 2 + rng.uniform(0.1, 0.2)
    aim = np.array([np.sin(np.radians(angle)), -np.cos(np.radians(angle))])
    return _attach(prop, "centre", pose.shoulder + flight * aim)


def _point_at(pose: Pose, prop: Figure, rng: np.random.Generator) -> Figure:
    near_edge = max(pose.shoulder[0], pose.leg("near")[-1, 0]) + ARM + rng.uniform(0.2, 0.5)
    prop = prop.moved(near_edge - prop.extent[0])
    pose.aim_arms(prop.anchors["centre"], far=False)
    pose.far_arm = _wobble((-10, -2), rng)
    return prop


def set_waving(pose: Pose, rng: np.random.Generator) -> None:
    """The near arm is raised beside the head, in front or behind."""
    side = 1 if rng.random() < 0.6 else -1
    upper, lower = _wobble((112, 168), rng, 9)
    pose.near_arm = (side * upper, side * lower)
    pose.far_arm = _wobble((-10, 0), rng)


LEG_RULES: dict[str, Rule] = {
    "sit_on": _sit_on,
    "ride": _ride,
    "stand_on": _stand_on,
    "kick": _kick,
    "push": _push,
}
ARM_RULES: dict[str, Rule] = {
    "hold": _hold,
    "drink_from": _drink_from,
    "carry": _carry,
    "throw": _throw,
    "point_at": _point_at,
}


def _attach(prop: Figure, anchor: str, point: np.ndarray) -> Figure:
    return prop.moved(*(point - prop.anchors[anchor]))


def _set_legs(pose: Pose, legs: tuple, rng: np.random.Generator) -> None:
    pose.near_leg, pose.far_leg = _wobble(legs[0], rng), _wobble(legs[1], rng)


def _wobble(angles: tuple, rng: np.random.Generator, spread: float = 6.0) -> tuple[float, float]:
    upper, lower = np.asarray(angles) + rng.uniform(-spread, spread, 2)
    return float(upper), float(lower)
