"""V-COCO's actions and roles, read off the verb names."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

ROLE_SUFFIXES = ("_obj", "_instr")
NOT_PUBLISHED = "point_instr"  # so rare that papers leave it out of AP_role


@dataclass(frozen=True)
class VCOCORoles:
    """Actions A and their roles R; a verb is ``<action>_obj``, ``<action>_instr``, or an action without role.

    Args:
        verbs (tuple[str, ...]): V verb names; 29 in V-COCO.
    """

    verbs: tuple[str, ...]

    @cached_property
    def actions(self) -> tuple[str, ...]:
        """A names in order of first appearance; 26 in V-COCO."""
        return tuple(dict.fromkeys(action_of(verb) for verb in self.verbs))

    @cached_property
    def roles(self) -> tuple[str, ...]:
        """R names, those of the verbs with a role; 25 in V-COCO."""
        return tuple(verb for verb in self.verbs if verb.endswith(ROLE_SUFFIXES))

    @cached_property
    def verb_actions(self) -> np.ndarray:
        """(V,) int, the action of each verb."""
        return np.array([self.actions.index(action_of(verb)) for verb in self.verbs], dtype=np.int64)

    @cached_property
    def role_verbs(self) -> np.ndarray:
        """(R,) int, the verb of each role."""
        return np.array([self.verbs.index(role) for role in self.roles], dtype=np.int64)

    @cached_property
    def role_actions(self) -> np.ndarray:
        """(R,) int, the action of each role."""
        return self.verb_actions[self.role_verbs]

    @cached_property
    def published(self) -> np.ndarray:
        """(R,) bool, the roles that published AP_role averages: all but ``point_instr``."""
        return np.array([role != NOT_PUBLISHED for role in self.roles], dtype=bool)

    def agent_scores(self, verb_scores: np.ndarray) -> np.ndarray:
        """(N, V) verb scores -> (N, A): the score, or the larger one of an action with two roles."""
        scores = np.full((len(verb_scores), len(self.actions)), -np.inf, dtype=verb_scores.dtype)
        for verb, action in enumerate(self.verb_actions):
            np.maximum(scores[:, action], verb_scores[:, verb], out=scores[:, action])
        return scores


def action_of(verb: str) -> str:
    """``cut_instr`` -> ``cut``; ``work_on_computer_instr`` -> ``work_on_computer``; ``stand`` -> ``stand``."""
    return verb.rsplit("_", 1)[0] if verb.endswith(ROLE_SUFFIXES) else verb


def check_roles(roles: VCOCORoles, names: Sequence[str], what: str) -> None:
    """Raise a ValueError if ``names`` are not the actions of ``roles``."""
    if set(names) != set(roles.actions):
        different = sorted(set(names) ^ set(roles.actions))
        raise ValueError(f"{what}: its actions and the data set's verbs differ in {different}.")
