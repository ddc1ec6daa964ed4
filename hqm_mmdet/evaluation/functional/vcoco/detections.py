"""V-COCO's official detection format."""

from collections.abc import Sequence

import numpy as np

from .roles import action_of


def to_official_detections(
    image_id: int,
    sub_boxes: np.ndarray,
    obj_boxes: np.ndarray,
    obj_labels: np.ndarray,
    verb_scores: np.ndarray,
    verbs: Sequence[str],
    absent_object_label: int,
    verb_mask: np.ndarray | None = None,
) -> list[dict]:
    """Detections of one image as ``vsrl_eval.py`` reads them, built as QPIC's ``generate_vcoco_official.py`` does.

    One detection per pair: every role verb gets the object box and its score, NaN coordinates if the pair
    has no object; ``<action>_agent`` is the score, the larger one of an action with two roles.

    Args:
        image_id (int): COCO image id.
        sub_boxes, obj_boxes (ndarray): (P, 4) x1, y1, x2, y2 in pixels of the original image.
        obj_labels (ndarray): (P,) int.
        verb_scores (ndarray): (P, V), already times the object score.
        verbs (Sequence[str]): V names, ``<action>_obj``, ``<action>_instr`` or ``<action>`` without role.
        absent_object_label (int): label of a pair without object (80 in V-COCO).
        verb_mask (ndarray, optional): (C + 1, V), see :func:`~..candidates.verb_mask_by_object`.

    Returns:
        list[dict]: P dicts of ``image_id``, ``person_box`` [4], ``<verb>`` [5], ``<action>_agent`` float.

    Raises:
        ValueError: number of names and of scores differ.
    """
    obj_labels, verb_scores = np.asarray(obj_labels), np.asarray(verb_scores)
    if verb_scores.shape != (len(obj_labels), len(verbs)):
        raise ValueError(
            f"image {image_id!r}: verb_scores must be pairs x verbs = {(len(obj_labels), len(verbs))}, "
            f"got the shape {verb_scores.shape}."
        )
    if verb_mask is not None:
        verb_scores = verb_scores * verb_mask[obj_labels]
    absent = (obj_labels == absent_object_label)[:, None]
    obj_boxes = np.where(absent, np.nan, np.asarray(obj_boxes).reshape(-1, 4))
    rows = zip(np.asarray(sub_boxes).tolist(), obj_boxes.tolist(), verb_scores.tolist(), strict=True)
    return [_detection(image_id, sub, obj, scores, verbs) for sub, obj, scores in rows]


def _detection(image_id, sub_box, obj_box, scores, verbs) -> dict:
    detection = dict(image_id=image_id, person_box=sub_box)
    for verb, score in zip(verbs, scores, strict=True):
        action = action_of(verb)
        if action != verb:
            detection[verb] = [*obj_box, score]
        agent = f"{action}_agent"
        # hit, eat and cut have two roles; the larger score is the action's.
        detection[agent] = max(score, detection.get(agent, score))
    return detection
