"""V-COCO: names (:mod:`.roles`), arrays (:mod:`.tables`), right detections (:mod:`.matching`), AP (:mod:`.ranking`).

:mod:`.judged` brings the matched detections into the form that all metrics share; :mod:`.detections` writes them as the
official script reads them.
"""

from .detections import to_official_detections
from .judged import judge_roles
from .ranking import RankedVCOCO, rank_vcoco
from .roles import VCOCORoles
from .tables import (
    AgentTable,
    PersonTable,
    agents_from_pairs,
    check_pairs,
    official_boxes,
    persons_from_hois,
    stack_tables,
)

__all__ = [
    "AgentTable",
    "PersonTable",
    "RankedVCOCO",
    "VCOCORoles",
    "agents_from_pairs",
    "check_pairs",
    "judge_roles",
    "official_boxes",
    "persons_from_hois",
    "rank_vcoco",
    "stack_tables",
    "to_official_detections",
]
