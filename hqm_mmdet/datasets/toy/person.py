"""The articulated person: pose parameters, joints and drawing."""

from dataclasses import dataclass, field

import numpy as np

from .shapes import Colour, Figure, Shape, arc, polygon, shade, stroke

ARM = 0.34  # lengths in units of the standing height; both halves of a limb are equal
LEG = 0.48
TRUNK = 0.28
HEAD_RADIUS = 0.11
SHOE = 0.03

Angles = tuple[float, float]

SKIN = ((255, 219, 190), (240, 194, 152), (216, 160, 116), (172, 118, 80), (122, 82, 58))
HAIR = ((38, 30, 28), (92, 60, 36), (196, 152, 80), (150, 70, 40), (128, 128, 132))
SHIRTS = (
    (214, 48, 49),
    (30, 110, 214),
    (0, 148, 100),
    (240, 190, 30),
    (130, 60, 170),
    (245, 245, 240),
    (240, 120, 30),
    (0, 160, 180),
)
TROUSERS = ((40, 50, 90), (70, 70, 74), (110, 80, 50), (30, 90, 70), (150, 140, 120), (90, 30, 50))


@dataclass
class Pose:
    """Joint angles of a person who looks towards +x.

    Angles are degrees from straight down, positive towards +x (90 is forward, 180 up): of the
    upper and the lower half of each limb. ``near`` limbs are drawn in front of the trunk.
    """

    lean: float = 0.0
    near_arm: Angles = (8.0, 14.0)
    far_arm: Angles = (-8.0, 0.0)
    near_leg: Angles = (7.0, 3.0)
    far_leg: Angles = (-7.0, -5.0)
    hip: np.ndarray = field(default_factory=lambda: np.array([0.0, LEG]))

    @property
    def shoulder(self) -> np.ndarray:
        """Position (2,) of both shoulders."""
        return self.hip + TRUNK * _direction(180.0 - self.lean)

    def arm(self, side: str) -> np.ndarray:
        """Shoulder, elbow, hand (3, 2) of side ``near`` or ``far``."""
        return _chain(self.shoulder, ARM / 2, getattr(self, f"{side}_arm"))

    def leg(self, side: str) -> np.ndarray:
        """Hip, knee, ankle (3, 2) of side ``near`` or ``far``."""
        return _chain(self.hip, LEG / 2, getattr(self, f"{side}_leg"))

    def plant(self, ground: float = 0.0) -> None:
        """Put the lower shoe sole on the height ``ground``."""
        lowest = min(self.leg(side)[-1, 1] for side in ("near", "far")) - SHOE
        self.hip = self.hip + np.array([0.0, ground - lowest])

    def aim_arms(self, target: np.ndarray, far: bool = True) -> None:
        """Stretch the near arm, and with ``far`` both, straight towards a point."""
        x, y = target - self.shoulder
        angle = float(np.degrees(np.arctan2(x, -y)))
        self.near_arm = (angle, angle)
        if far:
            self.far_arm = (angle - 5, angle - 3)


@dataclass(frozen=True)
class Look:
    """Colours and build of a person."""

    skin: Colour
    hair: Colour
    shirt: Colour
    trousers: Colour
    girth: float  # factor on the widths of trunk and limbs

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "Look":
        """Draw a look."""
        palettes = (SKIN, HAIR, SHIRTS, TROUSERS)
        colours = [palette[rng.integers(len(palette))] for palette in palettes]
        return cls(*colours, girth=rng.uniform(0.85, 1.2))


def draw_person(pose: Pose, look: Look) -> Figure:
    """Turn a pose into a figure with the anchor ``centre`` (middle of the trunk)."""
    head = pose.shoulder + (HEAD_RADIUS + 0.02) * _direction(180.0 - pose.lean / 2)
    trunk = stroke([pose.hip, pose.shoulder - [0, 0.03]], 0.17 * look.girth, look.shirt)
    shapes = [
        *_arm_shapes(pose.arm("far"), look, 0.72),
        *_leg_shapes(pose.leg("far"), look, 0.72),
        *_leg_shapes(pose.leg("near"), look, 1.0),
        trunk,
        *_head_shapes(head, look),
        *_arm_shapes(pose.arm("near"), look, 0.86),
    ]
    return Figure(0, shapes, {"centre": (pose.hip + pose.shoulder) / 2})


def _direction(angle: float) -> np.ndarray:
    return np.array([np.sin(np.radians(angle)), -np.cos(np.radians(angle))])


def _chain(start: np.ndarray, length: float, angles: Angles) -> np.ndarray:
    steps = [length * _direction(angle) for angle in angles]
    return np.cumsum([start, *steps], axis=0)


def _arm_shapes(joints: np.ndarray, look: Look, light: float) -> list[Shape]:
    width = 0.065 * look.girth
    return [
        stroke(joints, width, shade(look.shirt, light)),
        stroke([joints[-1]], 0.08, shade(look.skin, light + 0.14)),
    ]


def _leg_shapes(joints: np.ndarray, look: Look, light: float) -> list[Shape]:
    shoe = [joints[-1], joints[-1] + [0.06, 0.0]]
    return [
        stroke(shoe, 2 * SHOE, (50, 42, 40)),
        stroke(joints, 0.08 * look.girth, shade(look.trousers, light)),
    ]


def _head_shapes(centre: np.ndarray, look: Look) -> list[Shape]:
    radius = HEAD_RADIUS
    return [
        stroke([centre + [radius, -0.02]], 0.045, look.skin),  # the nose shows the facing direction
        stroke([centre], 2 * radius, look.skin),
        polygon(arc(centre, (radius * 1.05, radius * 1.05), 50, 235), look.hair),
        stroke([centre + [radius * 0.5, 0.005]], 0.03, (20, 20, 20)),
    ]
