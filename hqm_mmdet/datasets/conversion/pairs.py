"""HOIA-style entries out of lists of pairs."""

import math
from collections.abc import Iterable, Mapping, Sequence

Row = tuple[Sequence[float], Sequence[float], int, int]  # subject box, object box, object label, verb


def pair_entry(name: str, rows: Iterable[Row], table: Mapping) -> dict:
    """An image: an HOI per row; boxes with equal coordinates and class are one box.

    Args:
        name (str): of the image file.
        rows (Iterable[Row]): boxes are x1, y1, x2, y2.
        table (Mapping): metainfo with ``category_ids``, ``verb_ids``, ``subject_label``.

    Raises:
        ValueError: a coordinate is not finite.
    """
    boxes: dict[tuple, int] = {}

    def index(box: Sequence[float], label: int) -> int:
        if not all(map(math.isfinite, box)):
            raise ValueError(f"a box is {list(map(float, box))}")
        return boxes.setdefault((*map(plain_number, box), table["category_ids"][label]), len(boxes))

    hois = []
    for person, thing, label, verb in rows:
        subject, target = index(person, table["subject_label"]), index(thing, label)
        hois.append(dict(subject_id=subject, object_id=target, category_id=table["verb_ids"][verb]))
    annotations = [dict(bbox=list(box), category_id=category) for *box, category in boxes]
    return dict(file_name=name, annotations=annotations, hoi_annotation=hois)


def plain_number(value: float) -> float:
    """A coordinate as a Python number, a whole one as an integer."""
    return int(value) if float(value).is_integer() else float(value)
