"""V-COCO's AP_role and AP_agent, as ``vsrl_eval.py`` (s-gupta/v-coco) computes them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .average_precision import interpolated_ap
from .vcoco_roles import VCOCORoles
from .vcoco_tables import AgentTable, PersonTable

IOU_THRESHOLD = np.float32(0.5)


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
            weights = image_weights[self.image]
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
        roles (VCOCORoles): Names.
        agent (tuple[RankedColumn, ...]): One per action.
        role_s1, role_s2 (tuple[RankedColumn, ...]): One per role, scenario 1 and 2.
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
            role_s1=_mean(tables["role_s1"][published]),
            role_s2=_mean(tables["role_s2"][published]),
            agent=_mean(tables["agent"]),
            role_s1_25=_mean(tables["role_s1"]),
            role_s2_25=_mean(tables["role_s2"]),
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
        roles (VCOCORoles): Names.

    Returns:
        RankedVCOCO: Ranked columns.
    """
    person, overlap = match_persons(agents, persons)
    counted = np.flatnonzero((person < 0) | persons.labelled[person] if len(persons.labelled) else person < 0)
    # Among equal scores the official double reversal puts later images first, and stored order within an image.
    counted = counted[np.argsort(-agents.image[counted], kind="stable")]
    found = (person >= 0) & (overlap >= IOU_THRESHOLD)
    matched = _Matched(agents, persons, person, found, counted)
    role_s1, role_s2 = zip(*matched.roles(roles), strict=True) if roles.roles else ((), ())
    return RankedVCOCO(roles, tuple(matched.actions()), role_s1, role_s2)


def match_persons(agents: AgentTable, persons: PersonTable) -> tuple[np.ndarray, np.ndarray]:
    """The person of the same image whom each detection overlaps most.

    Returns:
        tuple[ndarray, ndarray]: (N,) int row of ``persons``, -1 in an image without persons, and (N,) float32 IoU.
    """
    order = np.argsort(persons.image, kind="stable")
    image = persons.image[order]
    start = np.searchsorted(image, agents.image, side="left")
    count = np.searchsorted(image, agents.image, side="right") - start
    person = np.full(len(agents.image), -1, dtype=np.int64)
    best = np.zeros(len(agents.image), dtype=np.float32)
    for nth in range(count.max(initial=0)):  # the n-th person of every image at once
        rows = np.flatnonzero(count > nth)
        candidate = order[start[rows] + nth]
        overlap = pixel_iou(agents.boxes[rows], persons.boxes[candidate])
        better = (overlap > best[rows]) | (person[rows] < 0)
        person[rows[better]], best[rows[better]] = candidate[better], overlap[better]
    return person, best


def pixel_iou(boxes1: np.ndarray, boxes2: np.ndarray) -> np.ndarray:
    """IoU of corresponding boxes with inclusive pixel indices, in float32 as the official script; NaN for NaN boxes.

    Args:
        boxes1, boxes2 (ndarray): (N, 4) float32 x1, y1, x2, y2.

    Returns:
        ndarray: (N,) float32.
    """
    one = np.float32(1)
    size = np.minimum(boxes1[:, 2:], boxes2[:, 2:]) - np.maximum(boxes1[:, :2], boxes2[:, :2]) + one
    intersection = np.maximum(size, 0).prod(axis=1)
    area1, area2 = ((b[:, 2:] - b[:, :2] + one).prod(axis=1) for b in (boxes1, boxes2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return intersection / (area1 + area2 - intersection)


class _Matched:
    """Detections with their persons; ``counted`` lists the rows that take part, ties in their final order."""

    def __init__(self, agents: AgentTable, persons: PersonTable, person, found, counted):
        self.agents, self.persons, self.counted = agents, persons, counted
        self.person, self.found = person[counted], found[counted]
        self.image = agents.image[counted]

    def actions(self) -> Iterator[RankedColumn]:
        for action in range(self.persons.actions.shape[1]):
            yield self._rank(self.agents.agent_scores[self.counted, action], self._does(action), action)[0]

    def roles(self, roles: VCOCORoles) -> Iterator[tuple[RankedColumn, RankedColumn]]:
        for role, action in enumerate(roles.role_actions):
            does = self._does(action)
            scores = self.agents.role_scores[self.counted, role]
            yield self._rank(scores, does, action, *self._role_right(does, role))

    def _does(self, action: int) -> np.ndarray:
        """(N',) rows of detections that lie on a person who does the action."""
        rows = np.flatnonzero(self.found)
        return rows[self.persons.actions[self.person[rows], action]]

    def _role_right(self, rows: np.ndarray, role: int) -> tuple[np.ndarray, np.ndarray]:
        """Which of the rows have the right object box, in scenario 1 and 2."""
        boxes = self.agents.role_boxes
        boxes = boxes[self.counted[rows], role if boxes.shape[1] > 1 else 0]
        truth = self.persons.role_boxes[self.person[rows], role]
        annotated = ~np.isnan(truth[:, 0])
        right = pixel_iou(truth, boxes) >= IOU_THRESHOLD
        no_box = np.isnan(boxes).all(axis=1) | (boxes == 0).all(axis=1)
        return np.where(annotated, right, no_box), np.where(annotated, right, True)

    def _rank(self, scores: np.ndarray, rows: np.ndarray, action: int, *right: np.ndarray) -> list[RankedColumn]:
        """One column per rule; ``rows`` are the possible true positives, ``right`` narrows them."""
        order = np.argsort(-scores, kind="stable")
        order = order[: len(order) - np.isnan(scores).sum()]  # NaN sorts last and is dropped
        place = np.full(len(scores), -1)
        place[order] = np.arange(len(order))
        image = self.image[order].astype(np.int32)
        gt_image = self.persons.image[self.persons.actions[:, action]]
        columns = []
        for mask in right or (np.ones(len(rows), dtype=bool),):
            good = rows[mask & (place[rows] >= 0)]
            tp = self._first_per_person(good, scores[good])
            columns.append(RankedColumn(image, np.sort(place[tp]), gt_image))
        return columns

    def _first_per_person(self, rows: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """The best row of each person; among equal scores of one image the official script takes the last stored."""
        best_first = rows[np.argsort(scores, kind="stable")[::-1]]
        _, first = np.unique(self.person[best_first], return_index=True)
        return best_first[first]


def _mean(values: np.ndarray) -> float:
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else float("nan")
