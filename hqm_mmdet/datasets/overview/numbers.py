"""From the report of a check to the numbers of an overview."""

from collections.abc import Sequence

import numpy as np

from ..checking import KINDS, LEVELS, SplitReport
from ..checking.findings import WHOLE_FILE
from ..checking.tables import SplitTables
from ..problems import AnnotationError
from .model import DatasetOverview, Flag, SplitOverview


def overview_of(reports: Sequence[SplitReport]) -> DatasetOverview:
    """Numbers of all splits, over what can be read.

    Args:
        reports (Sequence[SplitReport]): of :func:`~..checking.check_dataset`, the training split first.

    Raises:
        AnnotationError: no split, or splits of different classes.
    """
    if not reports or any((r.classes, r.verbs) != (reports[0].classes, reports[0].verbs) for r in reports):
        raise AnnotationError("An overview needs splits with the same classes and verbs; show data sets one by one.")
    first = reports[0]
    splits = tuple(map(_split, reports))
    return DatasetOverview(first.classes, first.verbs, first.subject_label, first.valid_pairs, splits, _flags(reports))


def _split(report: SplitReport) -> SplitOverview:
    tables, statistics = report.tables, report.statistics
    shape = len(report.verbs), len(report.classes) + 1
    triplets = triplet_keys(tables, shape[1] - 1)
    # An image counts once per triplet, however often it shows it.
    shown = np.unique(np.stack([tables.hoi_image, triplets], 1), axis=0)[:, 1]
    sound = tables.boxes[tables.sound]
    sizes = statistics.smallest_image and (statistics.smallest_image, statistics.largest_image)
    return SplitOverview(
        report.name,
        _count(triplets, shape[0] * shape[1]).reshape(shape),
        _count(shown, shape[0] * shape[1]).reshape(shape),
        _count(tables.labels, len(report.classes)),
        _count(tables.image, tables.num_images),
        _count(tables.pairs[:, 2], tables.num_images),
        _count(tables.image[tables.labels == report.subject_label], tables.num_images),
        np.sqrt((sound[:, 2:] - sound[:, :2]).prod(1)),
        sizes,
    )


def triplet_keys(tables: SplitTables, num_classes: int) -> np.ndarray:
    """(M,) int, position of each HOI's triplet in a flattened table of V x (C + 1)."""
    labels = np.append(tables.labels, num_classes)[tables.object]  # -1: no object
    return tables.verb * (num_classes + 1) + labels


def _flags(reports: Sequence[SplitReport]) -> tuple[Flag, ...]:
    found = [[(problem.kind, problem.entry) for problem in report.problems] for report in reports]
    flags = []
    for name in dict.fromkeys(kind for problems in found for kind, _ in problems):
        entries = [[entry for kind, entry in problems if kind == name] for problems in found]
        flags.append(
            Flag(KINDS[name], tuple(map(len, entries)), tuple(len({*each} - {WHOLE_FILE}) for each in entries))
        )
    return tuple(sorted(flags, key=lambda flag: (LEVELS.index(flag.kind.level), -sum(flag.counts))))


def _count(values: np.ndarray, length: int) -> np.ndarray:
    return np.bincount(values, minlength=length)
