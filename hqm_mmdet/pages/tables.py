"""What becomes a sortable table with filters in the browser (``static/kit/table.js``)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

KINDS = ("text", "count", "percent", "points")


@dataclass(frozen=True)
class Column:
    """One column.

    Args:
        label (str): heading.
        kind (str): ``text``; ``count`` (9,546); ``percent`` (a fraction, shown times 100); ``points``
            (a difference of fractions, shown times 100 with its sign).
        hint (str): explanation, shown when the pointer rests on the heading.
        select (str): a list to choose one of the column's values from, under this name, e.g. ``verb``. Empty: none.
        hidden (bool): not shown, for filters only.
    """

    label: str
    kind: str = "text"
    hint: str = ""
    select: str = ""
    hidden: bool = False

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"column {self.label!r}: kind {self.kind!r} is none of {KINDS}")


def table_data(
    name: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence],
    sort: str = "",
    descending: bool = True,
    mean: str = "",
) -> dict:
    """A table for ``data`` of a page.

    Args:
        name (str): says what it lists, e.g. ``classes``; for screen readers, and "30 of 600 classes".
        columns (Sequence[Column]): C columns.
        rows (Sequence[Sequence]): R rows of C values; None where there is none (shown as –, sorted last).
        sort (str): label of the column that it is sorted by at first. Default: order of the rows.
        descending (bool): largest first.
        mean (str): label of the column whose mean over the rows shown is told, e.g. of one verb's. Default: none.

    Returns:
        dict: for ``DataTable``.

    Raises:
        ValueError: a row of another length, or no such column.
    """
    labels = [column.label for column in columns]
    for label in filter(None, (sort, mean)):
        if label not in labels:
            raise ValueError(f"table {name!r} has no column {label!r}; it has {labels}")
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"table {name!r}: a row has {len(row)} values for {len(columns)} columns: {row}")
    return dict(
        name=name,
        columns=[asdict(column) for column in columns],
        rows=[list(row) for row in rows],
        sort=labels.index(sort) if sort else None,
        descending=descending,
        mean=labels.index(mean) if mean else None,
    )
