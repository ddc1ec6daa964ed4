"""V-COCO's ground truth and detections as flat arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import EvaluationError
from .roles import VCOCORoles


@dataclass(frozen=True, eq=False)
class PersonTable:
    """M persons of one or many images. Boxes are x1, y1, x2, y2 with inclusive pixel indices, float32.

    Args:
        image (ndarray): (M,) int, index of the image.
        boxes (ndarray): (M, 4).
        labelled (ndarray): (M,) bool; detections of a person whom V-COCO did not label are not counted.
        actions (ndarray): (M, A) bool, what the person does.
        role_boxes (ndarray): (M, R, 4), NaN where no object is annotated.
    """

    image: np.ndarray
    boxes: np.ndarray
    labelled: np.ndarray
    actions: np.ndarray
    role_boxes: np.ndarray


@dataclass(frozen=True, eq=False)
class AgentTable:
    """N detected persons of one or many images, each with a score per action and per role.

    Args:
        image (ndarray): (N,) int, index of the image.
        boxes (ndarray): (N, 4) x1, y1, x2, y2 in pixels of the original image, float32.
        agent_scores (ndarray): (N, A) float32, NaN where the detection says nothing about the action.
        role_boxes (ndarray): (N, 1, 4) one box for all roles, or (N, R, 4); NaN or all 0 for no object.
        role_scores (ndarray): (N, R) float32, NaN as above.
    """

    image: np.ndarray
    boxes: np.ndarray
    agent_scores: np.ndarray
    role_boxes: np.ndarray
    role_scores: np.ndarray


def official_boxes(boxes_xywh: np.ndarray, size: tuple[int, int] | None) -> np.ndarray:
    """COCO boxes as ``vsrl_eval.py`` reads them: x2 = x + max(w - 1, 0), clipped to the last pixel.

    Args:
        boxes_xywh (ndarray): (N, 4) x, y, width, height in pixels.
        size (tuple[int, int], optional): height and width of the image; None does not clip.

    Returns:
        ndarray: (N, 4) float64 x1, y1, x2, y2.
    """
    boxes = np.asarray(boxes_xywh, dtype=np.float64).reshape(-1, 4)
    # Corners are inclusive: a box of width 1 ends where it begins.
    boxes = np.concatenate([boxes[:, :2], boxes[:, :2] + np.maximum(boxes[:, 2:] - 1, 0)], axis=1)
    if size is None:
        return boxes
    height, width = size
    return np.clip(boxes, 0, np.array([width - 1, height - 1] * 2))


def persons_from_hois(
    boxes: np.ndarray,
    labels: np.ndarray,
    hois: np.ndarray,
    roles: VCOCORoles,
    size: tuple[int, int] | None = None,
    subject_label: int = 0,
    image: object = "?",
) -> PersonTable:
    """Persons of one image from HOIA-style annotations.

    Such files know less than the official ones: a person who is no HOI's subject counts as not labelled, because the
    file does not tell whether V-COCO labelled that person.

    Args:
        boxes (ndarray): (B, 4) x1, y1, x + width, y + height, as the field's converters write COCO boxes.
        labels (ndarray): (B,) int.
        hois (ndarray): (H, 3) int, subject index, object index (-1 = none), verb.
        roles (VCOCORoles): names.
        size (tuple[int, int], optional): height and width of the image, to which boxes are clipped.
        subject_label (int): label of persons. Default: 0.
        image (object): names the image in messages.

    Returns:
        PersonTable: persons and other subjects, ``image`` all 0.

    Raises:
        EvaluationError: an index is out of range, or a person has two objects in one role.
    """
    boxes, labels = np.asarray(boxes, np.float64).reshape(-1, 4), np.asarray(labels, np.int64).reshape(-1)
    hois = np.asarray(hois, np.int64).reshape(-1, 3)
    _check_hois(hois, len(boxes), len(roles.verbs), image)
    boxes = official_boxes(np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1), size)
    # A subject that is no person by its class still does something.
    rows = np.flatnonzero((labels == subject_label) | np.isin(np.arange(len(boxes)), hois[:, 0]))
    person_of = np.full(len(boxes), -1)
    person_of[rows] = np.arange(len(rows))
    actions = np.zeros((len(rows), len(roles.actions)), dtype=bool)
    role_boxes = np.full((len(rows), len(roles.roles), 4), np.nan, dtype=np.float32)
    subject, obj, verb = hois.T
    actions[person_of[subject], roles.verb_actions[verb]] = True
    role_of = np.full(len(roles.verbs), -1)
    role_of[roles.role_verbs] = np.arange(len(roles.roles))
    has_box = (obj >= 0) & (role_of[verb] >= 0)
    cells = np.stack([person_of[subject], role_of[verb]], axis=1)[has_box]
    _check_one_object(cells, obj[has_box], roles, image)
    role_boxes[cells[:, 0], cells[:, 1]] = boxes[obj[has_box]]
    labelled = np.isin(rows, subject)
    return PersonTable(np.zeros(len(rows), np.int64), boxes[rows].astype(np.float32), labelled, actions, role_boxes)


def agents_from_pairs(
    sub_boxes: np.ndarray,
    obj_boxes: np.ndarray,
    has_object: np.ndarray,
    verb_scores: np.ndarray,
    roles: VCOCORoles,
) -> AgentTable:
    """Detections of pairs, as QPIC's ``generate_vcoco_official.py`` makes them: one per pair, its object in every role.

    Args:
        sub_boxes, obj_boxes (ndarray): (N, 4) x1, y1, x2, y2 in pixels of the original image.
        has_object (ndarray): (N,) bool.
        verb_scores (ndarray): (N, V), already times the object score; NaN where a pair has no score for a verb.
        roles (VCOCORoles): names.

    Returns:
        AgentTable: N rows, ``image`` all 0.
    """
    scores = np.asarray(verb_scores, np.float32).reshape(-1, len(roles.verbs))
    obj_boxes = np.where(np.asarray(has_object)[:, None], np.asarray(obj_boxes, np.float32).reshape(-1, 4), np.nan)
    # -inf loses every maximum, which NaN would win; where nothing else is left it turns back into NaN.
    agent_scores = roles.agent_scores(np.where(np.isnan(scores), -np.inf, scores))
    return AgentTable(
        np.zeros(len(scores), np.int64),
        np.asarray(sub_boxes, np.float32).reshape(-1, 4),
        np.where(agent_scores == -np.inf, np.nan, agent_scores),
        obj_boxes[:, None].astype(np.float32),
        scores[:, roles.role_verbs],
    )


def check_pairs(
    sub: np.ndarray,
    obj: np.ndarray,
    labels: np.ndarray,
    scores: np.ndarray,
    sizes: tuple[int, int],
    partial: bool,
    image: object,
) -> None:
    """Refuse predicted pairs of one image that can't be evaluated.

    Args:
        sub, obj (ndarray): (P, 4) boxes.
        labels (ndarray): (P,) int, object labels in 0..C.
        scores (ndarray): (P, V).
        sizes (tuple[int, int]): C and V.
        partial (bool): whether a NaN score means "not predicted".
        image (object): names the image in messages.

    Raises:
        EvaluationError: wrong shape, label out of range, a score or coordinate that is not finite.
    """
    num_classes, num_verbs = sizes
    if scores.shape != (len(labels), num_verbs) or len(sub) != len(labels) or len(obj) != len(labels):
        raise EvaluationError(
            f"image {image!r}: {len(sub)} subject boxes, {len(obj)} object boxes, {len(labels)} object labels and "
            f"scores of the shape {scores.shape}; expected P, P, P and (P, {num_verbs})."
        )
    if len(labels) and not 0 <= labels.min() <= labels.max() <= num_classes:
        raise EvaluationError(
            f"image {image!r}: object labels reach from {labels.min()} to {labels.max()}, allowed are "
            f"0..{num_classes} (the last one = no object)."
        )
    boxes = np.concatenate([sub.reshape(-1, 4), obj.reshape(-1, 4)[labels != num_classes]])
    if not np.isfinite(boxes).all():
        box = boxes[~np.isfinite(boxes).all(axis=1)][0].tolist()
        raise EvaluationError(
            f"image {image!r}: a box is {box}; coordinates must be finite (label {num_classes} says that there is no "
            "object). Check the model's weights, or its inputs, for NaN."
        )
    wrong = np.isinf(scores) if partial else ~np.isfinite(scores)
    if wrong.any():
        pair, verb = np.argwhere(wrong)[0]
        raise EvaluationError(
            f"image {image!r}: score {scores[pair, verb]} for pair {pair}, verb {verb}; scores must be finite. Check "
            "the model's weights, or its inputs, for NaN."
        )


def stack_tables(
    tables: Sequence[PersonTable] | Sequence[AgentTable], keep_image: bool = False
) -> PersonTable | AgentTable:
    """Join tables; ``image`` becomes the position in the list, unless ``keep_image``. The list must not be empty."""
    kind = type(tables[0])
    columns = {name: _concatenate([getattr(t, name) for t in tables]) for name in kind.__dataclass_fields__}
    if not keep_image:
        columns["image"] = np.repeat(np.arange(len(tables)), [len(t.image) for t in tables])
    return kind(**columns)


def _concatenate(columns: list[np.ndarray]) -> np.ndarray:
    """Join along the first axis; one box for all roles is repeated where others have one box per role."""
    if columns[0].ndim == 3:
        roles = max(c.shape[1] for c in columns)
        columns = [np.broadcast_to(c, (len(c), roles, 4)) for c in columns]
    return np.concatenate(columns)


def _check_hois(hois, num_boxes, num_verbs, image) -> None:
    wrong = np.flatnonzero(((hois < [0, -1, 0]) | (hois >= [num_boxes, num_boxes, num_verbs])).any(axis=1))
    if len(wrong):
        raise EvaluationError(
            f"image {image!r}: HOI {wrong[0]} is (subject, object, verb) = {hois[wrong[0]].tolist()}, but there are "
            f"{num_boxes} boxes and {num_verbs} verbs (object -1 = no object)."
        )


def _check_one_object(cells, obj, roles, image) -> None:
    # The same object named twice is no contradiction.
    cells = np.unique(np.column_stack([cells, obj]), axis=0)[:, :2]
    distinct, counts = np.unique(cells, axis=0, return_counts=True)
    if (counts > 1).any():
        person, role = distinct[counts > 1][0]
        raise EvaluationError(
            f"image {image!r}: person {person} has {counts.max()} objects in the role {roles.roles[role]!r}; V-COCO's "
            "protocol knows one object per person and role. Take the others out, or evaluate with HICODetMetric."
        )
