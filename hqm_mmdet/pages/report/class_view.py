"""Classes of a run: table, curves, and AP against how often a class was trained on."""

from collections.abc import Sequence

import numpy as np

from hqm_mmdet.evaluation.analysis import Analysis, ClassRow
from hqm_mmdet.structures import plain_name

from ..charts import Axis, Chart, Dot, Line
from ..formats import count, finite, is_nothing, percent
from ..tables import Column, table_data
from .curves import curve, mean_curve

# Marks of a class's set -> number of its colour.
GROUPS = {"rare": 1, "non-rare": 0, "seen": 0, "unseen": 3}


def group_of(row: ClassRow) -> str | None:
    """The set that a class is shown in; ``unseen`` outdoes rare and non-rare."""
    return "unseen" if row.unseen else row.group


def class_table(analysis: Analysis) -> dict:
    """All classes, most frequent first; columns that would be empty are left out."""
    rows = analysis.classes
    others = list(dict.fromkeys(name for row in rows for name in row.other))
    columns = [Column("Class"), Column("Verb", select="verb", hidden=True)]
    values = [[plain_name(row.name) for row in rows], [plain_name(row.verb) for row in rows]]

    def add(column: Column, cells: list, always: bool = False) -> None:
        if always or any(cell is not None for cell in cells):
            columns.append(column)
            values.append(cells)

    add(Column("Object", select="object", hidden=True), [plain_name(row.object) for row in rows])
    add(Column("Set", select="set"), [group_of(row) for row in rows])
    add(Column("AP", "percent", "average precision, in percent"), [finite(row.ap) for row in rows], always=True)
    for name in others:
        add(Column(f"AP {name}", "percent"), [finite(row.other.get(name)) for row in rows])
    recall = "share of its labelled triplets found at any rank, in percent"
    add(Column("Recall", "percent", recall), [finite(row.max_recall) for row in rows])
    add(Column("Test", "count", "labelled triplets in the evaluated images"), [row.num_gt for row in rows], always=True)
    add(Column("Training", "count", "labelled triplets in the training annotations"), [row.num_train for row in rows])
    return table_data("classes", columns, list(zip(*values, strict=True)), sort="Test", mean="AP")


def class_curves(analysis: Analysis) -> dict:
    """Curves in the order of the table's rows, and the mean over all classes."""
    return dict(classes=[curve(row) for row in analysis.classes], mean=mean_curve(analysis.classes))


def counts_of(rows: Sequence[ClassRow]) -> tuple[list[int], str]:
    """How often each class was trained on, or where nobody knows, how often it is tested; and which of the two."""
    if all(row.num_train is not None for row in rows):
        return [row.num_train for row in rows], "training"
    return [row.num_gt for row in rows], "test"


def long_tail(analysis: Analysis) -> Chart | None:
    """AP against count, one dot per class; None where there is no class with an AP."""
    counts, kind = counts_of(analysis.classes)
    shown = [(i, row, n) for i, (row, n) in enumerate(zip(analysis.classes, counts, strict=True))]
    shown = [(i, row, n) for i, row, n in shown if not is_nothing(row.ap)]
    if not shown:
        return None
    # A logarithmic axis has no 0: classes without instances stand left of 1.
    dots = [Dot(max(n, 0.5), row.ap, _told(row, n, kind), GROUPS.get(group_of(row), 0), i) for i, row, n in shown]
    numbers = [max(n, 0.5) for *_, n in shown]
    low = 0.5 if min(numbers) < 1 else min(numbers) / 1.2
    none = " (left of 1: none)" if low < 1 else ""
    x = Axis(f"{kind} instances of the class{none}", low, 1.3 * max(2, *numbers), log=True)
    groups = [group for group in GROUPS if any(group_of(row) == group for _, row, _ in shown)]
    legend = [(GROUPS[group], "dot", group) for group in groups] + [(6, "line", "mean of classes with a like count")]
    means = Line(bin_means([n for *_, n in shown], [row.ap for _, row, _ in shown]), series=6)
    y = Axis("AP, percent", 0, 1, scale=100)
    return Chart(f"AP of each class against its {kind} instances", x, y, dots, [means], legend, "classes")


def bin_means(counts: Sequence[int], values: Sequence[float]) -> list[tuple[float, float]]:
    """Mean of values in half-decades of their counts (1-3, 4-9, 10-31, ...); counts of 0 are a bin of their own.

    Returns:
        list[tuple[float, float]]: geometric mean of the counts (0.5 for 0), mean of the values; by count.
    """
    places = np.maximum(np.asarray(counts, float), 0.5)
    bins = np.floor(2 * np.log10(places))
    return [
        (float(np.exp(np.log(places[bins == b]).mean())), float(np.mean(np.asarray(values)[bins == b])))
        for b in np.unique(bins)
    ]


def _told(row: ClassRow, number: int, kind: str) -> str:
    return f"{plain_name(row.name)}: AP {percent(row.ap, 1)}, {count(number)} {kind}, {count(row.num_gt)} test"
