"""V-COCO's AP_role and AP_agent, as ``vsrl_eval.py`` (s-gupta/v-coco) computes them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..average_precision import interpolated_ap, mean_over_classes
from .matching import MatchedDetections
from .roles import VCOCORoles
from .tables import AgentTable, PersonTable


@dataclass(frozen=True, eq=False)
class RankedColumn:
    """Detections of one action or role in the order of their scores.

    Args:
        image (ndarray): (N,) int.
        tp_rank (ndarray): (T,) int, where the true positives stand, from 0, ascending.
        gt_image (ndarray): (M,) int, one entry per positive.
    """

    image: np.ndarray
    tp_rank: np.ndarray
    gt_image: np.ndarray

    def results(self, image_weights: np.ndarray | None = None) -> tuple[float, float]:
        """AP (area under the interpolated curve, VOC 2010) and largest recall; NaN without positive.

        Args:
            image_weights (ndarray, optional): (I,) int, how often each image counts.
        """
        ranks = self.tp_rank + 1
        hits, num_gt = np.arange(1, len(ranks) + 1), len(self.gt_image)
        if image_weights is not None:
            weights = image_weights.take(self.image)  # with 32-bit indices twice as fast as []
            ranks, hits = np.cumsum(weights)[self.tp_rank], np.cumsum(weights[self.tp_rank])
            num_gt = image_weights[self.gt_image].sum()
        if not num_gt:
            return float("nan"), float("nan")
        precision = hits / np.maximum(ranks, 1)
        ap = interpolated_ap(hits / num_gt, precision, np.zeros(len(ranks), np.int64), 1, None)[0]
        return float(ap), float(hits[-1] / num_gt) if len(hits) else 0.0


@dataclass(frozen=True, eq=False)
class RankedVCOCO:
    """Ranked detections of every action and role.

    Args:
        roles (VCOCORoles): names.
        agent (tuple[RankedColumn, ...]): one per action.
        role_s1, role_s2 (tuple[RankedColumn, ...]): one per role, scenario 1 and 2.
    """

    roles: VCOCORoles
    agent: tuple[RankedColumn, ...]
    role_s1: tuple[RankedColumn, ...]
    role_s2: tuple[RankedColumn, ...]

    def tables(self, image_weights: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """AP per action, ``agent`` (A,), and per role, ``role_s1``, ``role_s2`` (R,); recall as ``..._recall``."""
        columns = {}
        for name in ("agent", "role_s1", "role_s2"):
            values = np.array([c.results(image_weights) for c in getattr(self, name)]).reshape(-1, 2)
            columns[name], columns[f"{name}_recall"] = values.T
        return columns

    def means(self, tables: dict[str, np.ndarray]) -> dict[str, float]:
        """Mean APs, fractions: ``role_s1``, ``role_s2`` over the published 24 roles, ``..._25`` over all, ``agent``.

        Classes without positive are left out; the official script divides by zero there and stops.
        """
        published = self.roles.published
        return dict(
            role_s1=mean_over_classes(tables["role_s1"][published]),
            role_s2=mean_over_classes(tables["role_s2"][published]),
            agent=mean_over_classes(tables["agent"]),
            role_s1_25=mean_over_classes(tables["role_s1"]),
            role_s2_25=mean_over_classes(tables["role_s2"]),
        )


def rank_vcoco(agents: AgentTable, persons: PersonTable, roles: VCOCORoles) -> RankedVCOCO:
    """Match detections with persons and rank them, for every action and role.

    A detection belongs to the person whom it overlaps most (the first one on ties and where nothing overlaps). It is
    dropped if V-COCO did not label that person, and a false positive if the image has no person at all (the official
    script stops there). It is a true positive if the overlap is at least 0.5, the person does the action, the role is
    right, and no better detection of that person was. Role: the annotated box overlaps by at least 0.5; where none is
    annotated, scenario 1 wants no box (NaN or all 0), scenario 2 takes any.

    Args:
        agents (AgentTable): N detections.
        persons (PersonTable): M persons.
        roles (VCOCORoles): names.

    Returns:
        RankedVCOCO: ranked columns.
    """
    matched = MatchedDetections(agents, persons)
    role_s1, role_s2 = zip(*_role_columns(matched, roles), strict=True) if roles.roles else ((), ())
    return RankedVCOCO(roles, tuple(_action_columns(matched)), role_s1, role_s2)


def _action_columns(matched: MatchedDetections) -> Iterator[RankedColumn]:
    for action in range(matched.persons.actions.shape[1]):
        scores = matched.agents.agent_scores[matched.counted, action]
        yield _rank(matched, scores, action, matched.does(action))[0]


def _role_columns(matched: MatchedDetections, roles: VCOCORoles) -> Iterator[list[RankedColumn]]:
    for role, action in enumerate(roles.role_actions):
        does = matched.does(action)
        scores = matched.agents.role_scores[matched.counted, role]
        yield _rank(matched, scores, action, *(does[right] for right in matched.role_right(does, role)))


def _rank(matched: MatchedDetections, scores: np.ndarray, action: int, *possible: np.ndarray) -> list[RankedColumn]:
    """One column per rule, which says by index which detections are right."""
    order = np.argsort(-scores, kind="stable")
    order = order[: len(order) - np.isnan(scores).sum()]  # NaN sorts last and is dropped
    place = np.full(len(scores), -1)
    place[order] = np.arange(len(order))
    image = matched.image[order].astype(np.int32)
    # All who do the action: both roles of hit, eat and cut share them, with or without object.
    gt_image = matched.persons.image[matched.persons.actions[:, action]]
    tps = (matched.first_per_person(rows, scores) for rows in possible)
    return [RankedColumn(image, np.sort(place[tp]), gt_image) for tp in tps]
