"""What is allowed in annotations, and often right, but worth a look."""

from collections.abc import Iterable

import numpy as np

from .findings import SplitReport
from .kinds import (
    COVERS_IMAGE,
    EXTREME_RATIO,
    EXTREME_SHAPE,
    NEAR_DUPLICATE,
    NEAR_DUPLICATE_IOU,
    NO_HOI,
    SAME_PLACE,
    TINY_BOX,
    TINY_SIDE,
    WHOLE_IMAGE,
    Kind,
)
from .tables import SplitTables, aligned_iou, pairs_within


def find_suspicious(report: SplitReport) -> None:
    """Add to a report what the kinds of level ``suspicious`` say; over whole arrays, so that it takes seconds."""
    tables = report.tables
    _near_duplicates(report, tables)
    _same_place(report, tables)
    _shapes(report, tables)
    for entry in report.entries:
        if not entry.hois:
            report.add(NO_HOI, entry, f"number of boxes: {len(entry.boxes)}")


def _near_duplicates(report: SplitReport, tables: SplitTables) -> None:
    rows = np.flatnonzero(tables.sound)
    # One number per image and class.
    groups = tables.image[rows] * (len(report.classes) + 1) + tables.labels[rows]
    first, second = (rows[i] for i in pairs_within(groups))
    iou = aligned_iou(tables.boxes[first], tables.boxes[second])
    differ = (tables.boxes[first] != tables.boxes[second]).any(1)
    near = differ & (iou >= NEAR_DUPLICATE_IOU)
    _add_pairs(report, tables, NEAR_DUPLICATE, first[near], second[near], iou[near])


def _same_place(report: SplitReport, tables: SplitTables) -> None:
    subject, obj, _ = tables.pairs.T
    sound = tables.sound
    # Where there is no object, row -1 reads the last box; the first term takes that out.
    comparable = (obj >= 0) & (subject != obj) & sound[subject] & sound[obj]
    subject, obj = subject[comparable], obj[comparable]
    iou = aligned_iou(tables.boxes[subject], tables.boxes[obj])
    same = iou >= NEAR_DUPLICATE_IOU
    _add_pairs(report, tables, SAME_PLACE, subject[same], obj[same], iou[same])


def _shapes(report: SplitReport, tables: SplitTables) -> None:
    sound = np.flatnonzero(tables.sound)
    sides = tables.boxes[sound, 2:] - tables.boxes[sound, :2]
    short, long = sides.min(1), sides.max(1)
    _add_boxes(report, tables, TINY_BOX, sound[short < TINY_SIDE])
    _add_boxes(report, tables, EXTREME_SHAPE, sound[long > EXTREME_RATIO * short])
    # No box covers an image whose size nobody read.
    areas = np.array([np.prod(entry.size) if entry.size else np.inf for entry in report.entries])
    _add_boxes(report, tables, COVERS_IMAGE, sound[sides.prod(1) >= WHOLE_IMAGE * areas[tables.image[sound]]])


def _add_pairs(
    report: SplitReport, tables: SplitTables, kind: Kind, first: np.ndarray, second: np.ndarray, iou: np.ndarray
) -> None:
    entries = [report.entries[i] for i in tables.image[first]]
    positions = tables.position[first].tolist(), tables.position[second].tolist()
    for entry, i, j, overlap in zip(entries, *positions, iou.tolist(), strict=True):
        report.add(kind, entry, f"annotations[{i}] and [{j}], IoU {overlap:.2f}", (i, j))


def _add_boxes(report: SplitReport, tables: SplitTables, kind: Kind, rows: Iterable[int]) -> None:
    for row in rows:
        x1, y1, x2, y2 = tables.boxes[row].tolist()
        detail = f"annotations[{tables.position[row]}]: {x2 - x1:g} x {y2 - y1:g} pixels"
        report.add(kind, report.entries[tables.image[row]], detail, (int(tables.position[row]),))
