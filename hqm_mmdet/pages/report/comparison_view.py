"""Two runs against each other."""

from hqm_mmdet.evaluation.analysis import Analysis, Comparison
from hqm_mmdet.structures import plain_name

from ..charts import Axis, Chart, Dot, Line
from ..formats import finite, is_nothing, percent, plural
from ..tables import Column, table_data
from .class_view import GROUPS, group_of
from .curves import curve
from .wording import metric_name, verdict


def metric_rows(comparison: Comparison) -> list[dict]:
    """Metrics with their difference and what it means."""
    return [
        dict(
            name=metric_name(metric.key),
            first=metric.first,
            second=metric.second,
            difference=metric.second - metric.first,
            low=metric.low,
            high=metric.high,
            verdict=verdict(metric),
        )
        for metric in comparison.metrics
    ]


def error_rows(comparison: Comparison) -> list[dict]:
    """Kinds of error that either run has, with both gains; in the order of their definition."""
    first, second = ({error.name: error for error in run.errors} for run in (comparison.first, comparison.second))
    # A dict keeps the order of definition, which a set would lose.
    return [dict(name=name, first=first.get(name), second=second.get(name)) for name in first | second]


def largest_gain(*runs: Analysis) -> float:
    """What the bars of all runs are measured by."""
    gains = [error.gain for run in runs for error in run.errors]
    return max((gain for gain in gains if not is_nothing(gain)), default=0.0)


def difference_table(comparison: Comparison) -> dict:
    """All classes, greatest rise first."""
    rows = comparison.classes
    columns = [Column("Class"), Column("Verb", select="verb", hidden=True)]
    values = [[_name(row) for row in rows], [plain_name(row.verb) for row in rows]]
    if any(row.object is not None for row in rows):
        columns.append(Column("Object", select="object", hidden=True))
        values.append([plain_name(row.object) for row in rows])
    columns += [
        Column("First AP", "percent", comparison.first.name),
        Column("Second AP", "percent", comparison.second.name),
        Column("Change", "points", "second minus first, in percentage points"),
        Column("Test", "count", "labelled triplets in the evaluated images"),
    ]
    values += [
        [finite(row.first) for row in rows],
        [finite(row.second) for row in rows],
        [finite(row.second - row.first) for row in rows],
        [row.num_gt for row in rows],
    ]
    if any(row.num_train is not None for row in rows):
        columns.append(Column("Training", "count", "labelled triplets in the training annotations"))
        values.append([row.num_train for row in rows])
    return table_data("classes", columns, list(zip(*values, strict=True)), sort="Change", mean="Change")


def scatter(comparison: Comparison) -> Chart:
    """AP of the second run against the first one's; dots above the diagonal got better."""
    groups = {(row.verb, row.object): group_of(row) for row in comparison.first.classes}
    dots = [
        Dot(row.first, row.second, _told(row), GROUPS.get(groups.get((row.verb, row.object)), 0), i)
        for i, row in enumerate(comparison.classes)
        if not is_nothing(row.first) and not is_nothing(row.second)
    ]
    present = set(groups.values())
    legend = [(series, "dot", group) for group, series in GROUPS.items() if group in present]
    x = Axis(f"AP of {comparison.first.name}, percent", 0, 1, scale=100)
    y = Axis(f"AP of {comparison.second.name}, percent", 0, 1, scale=100)
    return Chart("AP of each class in both runs", x, y, dots, [Line([(0, 0), (1, 1)], guide=True)], legend, "changes")


def difference_curves(comparison: Comparison) -> list[list[dict]]:
    """Curves of both runs in the order of the table's rows."""
    empty = dict(x=[], y=[])
    runs = [
        {(row.verb, row.object): curve(row) for row in run.classes} for run in (comparison.first, comparison.second)
    ]
    return [[run.get((row.verb, row.object), empty) for run in runs] for row in comparison.classes]


def tally(comparison: Comparison) -> str:
    """``210 classes rose, 190 fell, 200 did not change.``"""
    changes = [row.second - row.first for row in comparison.classes]
    rose, fell = sum(change > 0 for change in changes), sum(change < 0 for change in changes)
    return f"{plural(rose, 'class', 'classes')} rose, {fell:,} fell, {len(changes) - rose - fell:,} did not change."


def _name(row) -> str:
    return plain_name(f"{row.verb} {row.object}" if row.object else row.verb)


def _told(row) -> str:
    return f"{_name(row)}: AP {percent(row.first, 1)} → {percent(row.second, 1)}, {plural(row.num_gt, 'test instance')}"
