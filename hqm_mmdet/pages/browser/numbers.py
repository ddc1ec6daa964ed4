"""Numbers of the splits, side by side, and tables of classes."""

from collections.abc import Sequence

import numpy as np

from hqm_mmdet.datasets.overview import DatasetOverview, SplitOverview
from hqm_mmdet.structures import plain_name

from ..formats import NOTHING, count
from ..tables import Column, table_data

NO_OBJECT = "no object"


Row = tuple[str, bool, list[str]]


def split_numbers(overview: DatasetOverview) -> list[Row]:
    """Rows of a table: what is counted, whether it is a part or property of the row above, the number of each split."""
    splits = overview.splits
    unseen = [_num_new(split, splits[0]) for split in splits[1:]]
    rows = [
        ("Images", False, [count(s.num_images) for s in splits]),
        ("with a pair", True, [count(s.num_images_with_pairs) for s in splits]),
        ("smallest, in pixels", True, [_size(s, 0) for s in splits]),
        ("largest, in pixels", True, [_size(s, 1) for s in splits]),
        ("Boxes", False, [count(int(s.boxes_of.sum())) for s in splits]),
        ("per image: mean, most", True, [_mean_most(s.boxes_per_image) for s in splits]),
        ("persons per image: mean, most", True, [_mean_most(s.persons_per_image) for s in splits]),
        ("median size: √area, in pixels", True, [_median(s.box_sizes) for s in splits]),
        ("Pairs of subject and object", False, [count(int(s.pairs_per_image.sum())) for s in splits]),
        ("per image: mean, most", True, [_mean_most(s.pairs_per_image) for s in splits]),
        ("HOI entries: a pair and one verb", False, [count(int(s.hois.sum())) for s in splits]),
        ("without object", True, [count(int(s.hois[:, -1].sum())) for s in splits]),
        ("Triplet classes: verb and object", False, [count(s.num_triplets) for s in splits]),
        ("with fewer than 10 HOI entries", True, [count(int(s.rare.sum())) for s in splits]),
        ("not in the first split", True, [NOTHING, *map(count, unseen)]),
    ]
    # Without images there are no sizes, with one split nothing is new in another.
    return [row for row in rows if any(value != NOTHING for value in row[2])]


def _num_new(split: SplitOverview, first: SplitOverview) -> int:
    return int(((split.hois[:, :-1] > 0) & (first.hois[:, :-1] == 0)).sum())


def _mean_most(values: np.ndarray) -> str:
    return f"{values.mean():.1f}, {count(int(values.max()))}" if len(values) else NOTHING


def _median(values: np.ndarray) -> str:
    return f"{np.median(values):.0f}" if len(values) else NOTHING


def _size(split: SplitOverview, which: int) -> str:
    return "{} × {}".format(*split.image_size[which]) if split.image_size else NOTHING


def verb_table(overview: DatasetOverview, splits: Sequence[str]) -> dict:
    """One row per verb: HOI entries by split, objects that it goes with in the first split."""
    columns = [Column("Verb"), *_counts("HOIs", splits), Column("Objects", "count", _OBJECTS)]
    objects = (overview.splits[0].hois[:, :-1] > 0).sum(1).tolist()
    hois = [split.hois.sum(1).tolist() for split in overview.splits]
    rows = [[*row] for row in zip(map(plain_name, overview.verbs), *hois, objects, strict=True)]
    return table_data("verbs", columns, rows, sort=columns[1].label)


def object_table(overview: DatasetOverview, splits: Sequence[str]) -> dict:
    """One row per object class: HOI entries and boxes by split, verbs that go with it in the first split."""
    verbs = Column("Verbs", "count", "Verbs that are annotated with it in the first split.")
    columns = [Column("Object"), *_counts("HOIs", splits), *_counts("Boxes", splits), verbs]
    hois = [split.hois[:, :-1].sum(0).tolist() for split in overview.splits]
    boxes = [split.boxes_of.tolist() for split in overview.splits]
    number = (overview.splits[0].hois[:, :-1] > 0).sum(0).tolist()
    rows = [[*row] for row in zip(map(plain_name, overview.classes), *hois, *boxes, number, strict=True)]
    return table_data("objects", columns, rows, sort=columns[1].label)


def triplet_table(overview: DatasetOverview, splits: Sequence[str]) -> dict:
    """One row per triplet that occurs, or could: HOI entries and images by split."""
    columns = [
        Column("Verb", select="verb"),
        Column("Object", select="object"),
        Column("Group", hint=_GROUP, select="group"),
        *_counts("HOIs", splits),
        *_counts("Images", splits),
    ]
    rows = []
    for verb, label in triplets(overview):
        name = plain_name((*overview.classes, NO_OBJECT)[label])
        hois = [int(split.hois[verb, label]) for split in overview.splits]
        images = [int(split.images_of[verb, label]) for split in overview.splits]
        group = _group(overview.splits[0], verb, label)
        rows.append([plain_name(overview.verbs[verb]), name, group, *hois, *images])
    return table_data("triplets", columns, rows, sort=columns[3].label)


def _group(split: SplitOverview, verb: int, label: int) -> str | None:
    """By the HOI entries of the first split; None without object."""
    if label == split.hois.shape[1] - 1:
        return None
    return "rare" if split.rare[verb, label] else "frequent" if split.hois[verb, label] else "absent"


def triplets(overview: DatasetOverview) -> list[tuple[int, int]]:
    """(verb, object label or C) that occur in any split."""
    total = sum(split.hois for split in overview.splits)
    return [*zip(*(axis.tolist() for axis in np.nonzero(total)), strict=True)]


def _counts(label: str, splits: Sequence[str]) -> list[Column]:
    if len(splits) == 1:
        return [Column(label, "count")]
    return [Column(f"{label}, {split}", "count") for split in splits]


_OBJECTS = "Object classes that it is annotated with in the first split."
_GROUP = "In the first split; rare: fewer than 10 HOI entries, absent: none."
