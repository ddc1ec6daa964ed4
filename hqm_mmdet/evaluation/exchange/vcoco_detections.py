"""V-COCO's official list of detections, which ``vsrl_eval.py`` reads."""

import pickle
from collections.abc import Sequence

from ..functional import AgentTable, VCOCORoles


def vcoco_pickle(image_ids: Sequence[int], tables: Sequence[AgentTable], roles: VCOCORoles) -> bytes:
    """A pickle of dicts: ``image_id``, ``person_box``, ``<action>_agent``, ``<action>_<role>`` (box and score).

    Args:
        image_ids (Sequence[int]): COCO's, of I images.
        tables (Sequence[AgentTable]): their detections; NaN where one says nothing.
        roles (VCOCORoles): names.
    """
    rows = [row for image, table in zip(image_ids, tables, strict=True) for row in _rows(image, table, roles)]
    return pickle.dumps(rows, protocol=2)  # the official script is of Python 2 times


def _rows(image_id: int, table: AgentTable, roles: VCOCORoles) -> list[dict]:
    columns = table.boxes, table.agent_scores, table.role_boxes, table.role_scores
    rows = []
    for box, agents, boxes, scores in zip(*(column.tolist() for column in columns), strict=True):
        row = dict(image_id=image_id, person_box=box)
        row |= {f"{action}_agent": score for action, score in zip(roles.actions, agents, strict=True)}
        boxes = boxes * len(roles.roles) if len(boxes) == 1 else boxes  # one box for all roles
        row |= {role: [*box, score] for role, box, score in zip(roles.roles, boxes, scores, strict=True)}
        rows.append(row)
    return rows
