"""Which V-COCO detections take part, whose they are and which are right, as ``vsrl_eval.py`` decides it."""

import numpy as np

from ..matching import aligned_iou
from ..protocol import VCOCO
from .tables import AgentTable, PersonTable


class MatchedDetections:
    """Detections with their persons.

    Args:
        agents (AgentTable): N detections.
        persons (PersonTable): M persons.

    Attributes:
        counted (ndarray): (N',) int, the rows of ``agents`` that take part, ties in their final order.
        image (ndarray): (N',) int.
        person (ndarray): (N',) int, row of ``persons``; -1 in an image without persons.
        found (ndarray): (N',) bool, whether the detection overlaps its person enough.
    """

    def __init__(self, agents: AgentTable, persons: PersonTable) -> None:
        person, overlap = match_persons(agents, persons)
        # What lies on a person without label is dropped, however little it overlaps: V-COCO does not know what they do.
        counted = np.flatnonzero((person < 0) | persons.labelled[person] if len(persons.labelled) else person < 0)
        # Among equal scores the official double reversal puts later images first, and stored order within an image.
        self.counted = counted[np.argsort(-agents.image[counted], kind="stable")]
        self.agents, self.persons = agents, persons
        self.image, self.person = agents.image[self.counted], person[self.counted]
        self.found = (self.person >= 0) & (VCOCO.passes(overlap[self.counted]))

    def does(self, action: int) -> np.ndarray:
        """Detections (indices into ``counted``) that lie on a person who does the action."""
        rows = np.flatnonzero(self.found)
        return rows[self.persons.actions[self.person[rows], action]]

    def role_right(self, rows: np.ndarray, role: int) -> tuple[np.ndarray, np.ndarray]:
        """Which of the detections have the right object box, in scenario 1 and 2."""
        boxes = self.agents.role_boxes
        boxes = boxes[self.counted[rows], role if boxes.shape[1] > 1 else 0]
        truth = self.persons.role_boxes[self.person[rows], role]
        annotated = ~np.isnan(truth[:, 0])
        right = VCOCO.passes(aligned_iou(truth, boxes, VCOCO))
        return np.where(annotated, right, is_no_box(boxes)), np.where(annotated, right, True)

    def first_per_person(self, rows: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """The best detection of each person, without those that have no score (NaN).

        Among equal scores of one image the official script takes the last stored.
        """
        rows = rows[~np.isnan(scores[rows])]
        best_first = rows[np.argsort(scores[rows], kind="stable")[::-1]]
        _, first = np.unique(self.person[best_first], return_index=True)
        return best_first[first]


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
        overlap = aligned_iou(agents.boxes[rows], persons.boxes[candidate], VCOCO)
        # The first of equals stays; where nothing overlaps it is the first person, as argmax has it.
        better = (overlap > best[rows]) | (person[rows] < 0)
        person[rows[better]], best[rows[better]] = candidate[better], overlap[better]
    return person, best


def is_no_box(boxes: np.ndarray) -> np.ndarray:
    """Which of (N, 4) role boxes say that there is no object: NaN, or all 0."""
    return np.isnan(boxes).all(axis=1) | (boxes == 0).all(axis=1)
