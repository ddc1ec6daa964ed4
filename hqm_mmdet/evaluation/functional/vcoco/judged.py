"""V-COCO's detections, matched for AP_role in scenario 1, in the form that all metrics share."""

import numpy as np

from ..judged import JudgedCandidates
from ..protocol import VCOCO
from ..triplets import TripletCoder, TripletTable
from .matching import MatchedDetections, is_no_box
from .roles import VCOCORoles
from .tables import AgentTable, PersonTable

OBJECT, NO_OBJECT = 0, 1  # object labels: V-COCO compares no class, but an object can be absent


def judge_roles(agents: AgentTable, persons: PersonTable, roles: VCOCORoles) -> JudgedCandidates:
    """Match detections with persons as :func:`~.ranking.rank_vcoco`, one candidate per detection and role.

    Takes about 0.1 KB per candidate, that is 1.2 GB for 4,946 images with 100 detections of 25 roles.

    Args:
        agents (AgentTable): detections.
        persons (PersonTable): persons; a ground truth is a person who does an action, in one of its roles, with or
            without object box.
        roles (VCOCORoles): names.

    Returns:
        JudgedCandidates: A column is a role; the published ones count.
    """
    matched, coder = MatchedDetections(agents, persons), TripletCoder(1, len(roles.verbs))
    detection, role = _candidates(agents, matched.counted)
    gt_person, gt_role = _positives(persons, roles)
    num_detections, num_roles = len(agents.image), len(roles.roles)
    # Where the candidate of a detection and role went when they were sorted.
    row_of = np.full((num_detections, num_roles), -1, np.int32)
    row_of[detection, role] = np.arange(len(detection))
    gt_row_of = np.full((len(persons.image), num_roles), -1)
    gt_row_of[gt_person, gt_role] = np.arange(len(gt_person))
    is_tp, taken_by = np.zeros(len(detection), dtype=bool), np.full(len(gt_person), -1)
    for r, action in enumerate(roles.role_actions):
        does = matched.does(action)
        right = does[matched.role_right(does, r)[0]]
        tp = matched.first_per_person(right, agents.role_scores[matched.counted, r])
        taken_by[gt_row_of[matched.person[tp], r]] = rows = row_of[matched.counted[tp], r]
        is_tp[rows] = True
    boxes = agents.role_boxes
    return JudgedCandidates(
        _table(
            agents.image[detection],
            agents.boxes[detection],
            boxes[detection, role if boxes.shape[1] > 1 else 0],
            roles.role_verbs[role],
            coder,
            agents.role_scores[detection, role],
        ),
        _table(
            persons.image[gt_person],
            persons.boxes[gt_person],
            persons.role_boxes[gt_person, gt_role],
            roles.role_verbs[gt_role],
            coder,
        ),
        coder,
        role,
        gt_role,
        is_tp,
        taken_by,
        roles.role_verbs,
        np.stack([roles.role_verbs, np.full(num_roles, -1)], axis=1),
        roles.published,
        VCOCO,
        # The official script reverses ties twice, see MatchedDetections.
        later_images_first=True,
        # With one box for all roles, these are one pair.
        pair=detection if boxes.shape[1] == 1 else None,
    )


def _candidates(agents: AgentTable, counted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Detection and role of all scores of the counted detections, by image and descending score."""
    detection, role = np.nonzero(~np.isnan(agents.role_scores))
    kept = np.isin(np.arange(len(agents.image)), counted)[detection]
    detection, role = detection[kept].astype(np.int32), role[kept].astype(np.int32)
    order = np.lexsort((-agents.role_scores[detection, role], agents.image[detection]))
    return detection[order], role[order]


def _positives(persons: PersonTable, roles: VCOCORoles) -> tuple[np.ndarray, np.ndarray]:
    """Person and role of all ground truth, by image."""
    person, role = np.nonzero(persons.actions[:, roles.role_actions])
    order = np.argsort(persons.image[person], kind="stable")
    return person[order], role[order]


def _table(image, sub_boxes, obj_boxes, verbs, coder, scores=None) -> TripletTable:
    absent = is_no_box(obj_boxes)
    classes = coder.encode(0, np.where(absent, NO_OBJECT, OBJECT), verbs).astype(np.int32)
    return TripletTable(image.astype(np.int32), classes, sub_boxes, np.where(absent[:, None], 0, obj_boxes), scores)
