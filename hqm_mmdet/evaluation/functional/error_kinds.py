"""What is wrong with a false positive: one kind each, in the manner of TIDE (Bolya et al., ECCV 2020) for pairs.

``docs/errors.md`` defines the kinds.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .joining import KeyIndex
from .judged import JudgedCandidates

KINDS = ("duplicate", "verb", "object class", "association", "object box", "subject box", "several", "background")
DUPLICATE, VERB, OBJECT_CLASS, ASSOCIATION, OBJECT_BOX, SUBJECT_BOX, SEVERAL, BACKGROUND = range(len(KINDS))
FIXABLE = (VERB, OBJECT_CLASS, ASSOCIATION, OBJECT_BOX, SUBJECT_BOX)
RIGHT = -1
# Closest first; both boxes count alike, there the larger overlap decides.
LEVEL = np.array([0, 1, 2, 3, 4, 4, 5, 6])


def find_kinds(judged: JudgedCandidates, near: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Kind of every candidate.

    Args:
        judged (JudgedCandidates): N candidates.
        near (float): IoU from which on a box has to do with an annotated one (TIDE's background threshold).

    Returns:
        tuple[ndarray, ndarray]: (N,) int8, index into :data:`KINDS`, :data:`RIGHT` for true positives; (N,) int, the
        ground truth that a candidate of a :data:`FIXABLE` kind misses by one thing, else -1.
    """
    kind, target = np.full(len(judged.preds), RIGHT, np.int8), np.full(len(judged.preds), -1)
    wrong = np.flatnonzero(~judged.is_tp)
    if not len(wrong):
        return kind, target
    first, pair = _pairs(judged, wrong)
    facts = _pair_facts(judged, first, near)
    rows, gts, kinds, overlaps, duplicates = _same_verb(judged, wrong, pair, facts, near)
    # From the least to the most certain: each step overrules those before it.
    found = np.where(facts.near[pair], SEVERAL, BACKGROUND)
    goal = np.full(len(wrong), -1)
    best = _closest(judged, rows, gts, kinds, overlaps)
    found[rows[best]], goal[rows[best]] = kinds[best], gts[best]
    verb = facts.verb_target[pair]
    found[verb >= 0], goal[verb >= 0] = VERB, verb[verb >= 0]
    found[duplicates], goal[duplicates] = DUPLICATE, -1
    kind[wrong], target[wrong] = found, goal
    return kind, target


@dataclass(frozen=True, eq=False)
class _PairFacts:
    """What holds of a predicted pair whatever its verb, (P,) each.

    Args:
        near (ndarray): bool, both boxes overlap those of an annotated pair at least a little.
        subject, object (ndarray): bool, the box (and class) is right for the subject, the object of some pair.
        verb_target (ndarray): int, the closest annotated pair that both boxes and class are right for, -1 if none.
    """

    near: np.ndarray
    subject: np.ndarray
    object: np.ndarray
    verb_target: np.ndarray


class _Relations:
    """Candidates beside ground truth of their image, J combinations; see :meth:`JudgedCandidates.overlaps`.

    Where only one side has an object, that is taken as an object box that is only just near.
    """

    def __init__(self, judged: JudgedCandidates, pred_rows: np.ndarray, gt_rows: np.ndarray, near: float) -> None:
        self.sub, self.obj = judged.overlaps(pred_rows, gt_rows)
        self.unlike = np.isnan(self.obj)
        self.obj = np.where(self.unlike, near, self.obj)
        _, pred_labels, _ = judged.coder.decode(judged.preds.classes[pred_rows])
        _, gt_labels, _ = judged.coder.decode(judged.gts.classes[gt_rows])
        self.class_right = self.unlike | (pred_labels == gt_labels)
        self.sub_right, obj_box_right = judged.protocol.passes(self.sub), judged.protocol.passes(self.obj)
        self.boxes_right = self.sub_right & obj_box_right
        self.obj_right = obj_box_right & self.class_right
        self.obj_seen = self.obj_right & (gt_labels != judged.coder.absent_object_label)
        self.overlap = np.minimum(self.sub, self.obj)
        self.near = self.overlap >= near


def _pairs(judged: JudgedCandidates, wrong: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A candidate of each predicted pair, (P,), and the pair of each candidate in ``wrong``."""
    if judged.pair is None:
        return wrong, np.arange(len(wrong))
    number = judged.pair[wrong]
    member = np.full(number.max() + 1, -1)
    member[number] = wrong
    # Numbers have gaps, such as pairs all of whose candidates are right.
    known = member >= 0
    return member[known], (np.cumsum(known) - 1)[number]


def _pair_facts(judged: JudgedCandidates, rows: np.ndarray, near: float) -> _PairFacts:
    size = len(rows)
    facts = _PairFacts(*(np.zeros(size, dtype=bool) for _ in range(3)), np.full(size, -1))
    for pairs, gts, related in _related(judged, rows, near, by_verb=False):
        facts.near[pairs[related.near]] = True
        facts.subject[pairs[related.sub_right]] = True
        facts.object[pairs[related.obj_seen]] = True
        right = np.flatnonzero(related.sub_right & related.obj_right)
        columns = pairs[right], gts[right], np.full(len(right), VERB), related.overlap[right]
        best = _closest(judged, *columns)
        facts.verb_target[columns[0][best]] = columns[1][best]
    return facts


def _same_verb(judged, wrong, pair, facts, near) -> tuple[np.ndarray, ...]:
    """Combinations (index into ``wrong``, ground truth, kind, overlap) that only differ by a box or a class.

    Returns:
        tuple[ndarray, ...]: those four columns, (J,) each, and the indices of duplicates.
    """
    columns, duplicates = [], [np.zeros(0, np.int64)]
    for rows, gts, related in _related(judged, wrong, near, by_verb=True):
        p = pair[rows]
        mixed = facts.subject[p] & facts.object[p] & (related.sub_right | related.obj_right)
        association = mixed & ~related.unlike  # without object there is no other partner
        kind = np.select(
            [
                related.boxes_right & ~related.class_right,
                association,
                related.sub_right & related.near & related.class_right,
                related.obj_right & related.near,
            ],
            [OBJECT_CLASS, ASSOCIATION, OBJECT_BOX, SUBJECT_BOX],
            RIGHT,
        )
        same = related.sub_right & related.obj_right
        duplicates.append(rows[same])
        # Of a wrong association only the side that is right says how close it came.
        side = np.maximum(related.sub * related.sub_right, related.obj * related.obj_right)
        overlap = np.where(kind == ASSOCIATION, side, related.overlap)
        keep = (kind != RIGHT) & ~same
        columns.append((rows[keep], gts[keep], kind[keep], overlap[keep]))
    return (*map(np.concatenate, zip(*columns, strict=True)), np.concatenate(duplicates))


def _related(judged, rows, near, by_verb) -> Iterator[tuple[np.ndarray, np.ndarray, _Relations]]:
    """Candidates ``rows`` beside the ground truth of their image and subject label (and verb), in blocks.

    Yields:
        tuple: (J,) int index into ``rows``, (J,) int row of the ground truth, how they relate.
    """

    def keys(table, rows=slice(None)) -> np.ndarray:
        sub_labels, _, verbs = judged.coder.decode(table.classes[rows])
        key = table.image[rows].astype(np.int64) * num_labels + sub_labels
        return key * judged.coder.num_verbs + verbs if by_verb else key

    num_labels = 1 + max(judged.coder.decode(t.classes)[0].max(initial=0) for t in (judged.preds, judged.gts))
    for index, gts in KeyIndex(keys(judged.gts)).join_in_blocks(keys(judged.preds, rows)):
        yield index, gts, _Relations(judged, rows[index], gts, near)


def _closest(judged, rows, gts, kinds, overlaps) -> np.ndarray:
    """Positions of the best combination of each row.

    The smallest level; then the largest overlap, where all that is right counts alike; then ground truth that no true
    positive took; then the largest overlap; object box before subject box; the first ground truth.
    """
    enough = np.minimum(overlaps, judged.protocol.iou_threshold)
    taken = judged.taken_by[gts] >= 0
    order = np.lexsort((gts, kinds, -overlaps, taken, -enough, LEVEL[kinds], rows))
    _, first = np.unique(rows[order], return_index=True)
    return order[first]
