"""What a check found: problems, numbers, and how they are shown."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from functools import cached_property

import numpy as np

from .checked_entry import CheckedEntry
from .kinds import ERROR, LEVELS, SUSPICIOUS, WARNING, Kind
from .tables import SplitTables

WHOLE_FILE = -1  # in place of an entry


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, or strange, in a split.

    Args:
        level, kind (str): level and name of its :class:`~.kinds.Kind`.
        place (str): entry and image.
        detail (str): field and value.
        entry (int): position in the file; -1 for the file as a whole.
        boxes (tuple[int, ...]): positions, in the entry, of the boxes that it is about.
    """

    level: str
    kind: str
    place: str
    detail: str
    entry: int
    boxes: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.place}: {self.detail}" if self.detail else self.place


@dataclass
class Statistics:
    """Numbers of a split, counted over what can be read."""

    images: int = 0
    images_with_pairs: int = 0
    pairs: int = 0
    hois_without_object: int = 0
    most_boxes: int = 0
    boxes: Counter = field(default_factory=Counter)  # by class name
    hois: Counter = field(default_factory=Counter)  # by verb
    triplets: Counter = field(default_factory=Counter)  # by "verb class", as evaluation tells them apart
    smallest_image: tuple[int, int] | None = None  # width, height
    largest_image: tuple[int, int] | None = None

    def add_image_size(self, size: tuple[int, int]) -> None:
        """Count an image of ``size`` = (width, height)."""
        area = size[0] * size[1]
        if self.smallest_image is None or area < self.smallest_image[0] * self.smallest_image[1]:
            self.smallest_image = size
        if self.largest_image is None or area > self.largest_image[0] * self.largest_image[1]:
            self.largest_image = size


@dataclass
class SplitReport:
    """Result for one annotation file.

    Args:
        name (str): e.g. 'train'.
        ann_file (str): the file.
        classes, verbs (tuple[str]): what may occur.
        valid_pairs (ndarray, optional): (V, C) bool, which verb goes with which object, if the data set says so.
        subject_label (int): class of persons.
        image_folder (str): where ``file_name`` of the entries is looked for.
        upright (bool): whether boxes are in the frame of upright images, see :class:`~hqm_mmdet.datasets.HOIDataset`.
        entries (list[CheckedEntry]): the readable ones.
    """

    name: str
    ann_file: str
    classes: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    valid_pairs: np.ndarray | None = None
    subject_label: int = 0
    image_folder: str = "."
    upright: bool = False
    entries: list[CheckedEntry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    statistics: Statistics = field(default_factory=Statistics)

    @cached_property
    def tables(self) -> SplitTables:
        """The entries as arrays; asked for once all are read."""
        return SplitTables.of(self.entries)

    def add(self, kind: Kind, entry: CheckedEntry, detail: str = "", boxes: tuple[int, ...] = ()) -> None:
        """Note a problem of an entry, and which of its boxes it is about."""
        self.problems.append(Problem(kind.level, kind.name, entry.place, detail, entry.position, boxes))

    def add_to_whole(self, kind: Kind, detail: str) -> None:
        """Note a problem of the file as a whole."""
        self.problems.append(Problem(kind.level, kind.name, "the whole file", detail, WHOLE_FILE))

    def count(self, level: str) -> int:
        """Number of problems of a level."""
        return sum(problem.level == level for problem in self.problems)

    def as_dict(self) -> dict:
        """For JSON."""
        problems = [asdict(problem) for problem in self.problems]
        # not asdict, which rebuilds a Counter from its items as if they were what is counted
        return dict(ann_file=self.ann_file, statistics=vars(self.statistics), problems=problems)

    def render(self, limit: int | None = None) -> str:
        """Text for a terminal.

        Args:
            limit (int, optional): problems shown per kind; None shows all.
        """
        verdict = f"{self.count(ERROR)} errors, {self.count(WARNING)} warnings"
        verdict += f", {suspicious} suspicious" if (suspicious := self.count(SUSPICIOUS)) else ""
        title = self.name if self.name == self.ann_file else f"{self.name}: {self.ann_file}"
        return "\n".join([f"{title}: {verdict}", *self._numbers(), *self._problems(limit)])

    def _numbers(self) -> list[str]:
        s = self.statistics
        boxes, hois = sum(s.boxes.values()), sum(s.hois.values())
        lines = [
            f"{s.images} images, {s.images_with_pairs} with a pair",
            f"{boxes} boxes, {boxes / max(s.images, 1):.1f} per image, at most {s.most_boxes}",
            f"{s.pairs} pairs, {hois} HOIs, {s.hois_without_object} without object, {len(s.triplets)} triplet classes",
            f"classes (boxes): {_ranking(s.boxes, self.classes)}",
            f"verbs (HOIs): {_ranking(s.hois, self.verbs)}",
        ]
        if s.smallest_image:
            sizes = (f"{width} x {height}" for width, height in (s.smallest_image, s.largest_image))
            lines.append("image sizes: {} to {} pixels".format(*sizes))
        return [f"  {line}" for line in lines]

    def _problems(self, limit: int | None) -> list[str]:
        kinds: dict[tuple[str, str], list[Problem]] = {}
        for problem in sorted(self.problems, key=lambda problem: LEVELS.index(problem.level)):
            kinds.setdefault((problem.level, problem.kind), []).append(problem)
        lines = []
        for (level, kind), found in kinds.items():
            lines.append(f"  {level}: {kind} ({len(found)})")
            lines += [f"    {problem}" for problem in found[:limit]]
            if limit is not None and len(found) > limit:
                lines.append(f"    ... and {len(found) - limit} more (--max-shown, --json)")
        return lines


def _ranking(counts: Counter, names: tuple[str, ...], top: int = 8) -> str:
    """The most frequent names, and how many never occur."""
    shown = ", ".join(f"{name} {count}" for name, count in counts.most_common(top)) or "none"
    never = [name for name in names if name not in counts]
    rest = f", ... ({len(counts)} of {len(names)} occur)" if len(counts) > top else ""
    return shown + rest + (f"; never: {', '.join(never[:top])}{' ...' * (len(never) > top)}" if never else "")
