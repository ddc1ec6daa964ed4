"""Images that stand for all the others: some of every triplet, some of every kind of finding."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..checking import CheckedEntry, Problem, SplitReport
from .numbers import triplet_keys

Image = tuple[int, int]  # split, position among its readable entries


@dataclass(frozen=True)
class Example:
    """An image to look at.

    Args:
        split (int): which one.
        entry (CheckedEntry): its boxes and HOIs.
        problems (tuple[Problem, ...]): all that was found in it.
    """

    split: int
    entry: CheckedEntry
    problems: tuple[Problem, ...]


def choose_examples(
    reports: Sequence[SplitReport], per_triplet: int = 3, per_flag: int = 12, limit: int | None = None
) -> tuple[list[Example], int]:
    """Images such that each split shows every triplet and every kind of finding often enough.

    An image counts for all that it shows. Where there is a choice, the images are spread evenly over the file. Nothing
    is random.

    Args:
        reports (Sequence[SplitReport]): of a check.
        per_triplet, per_flag (int): how often, if there are as many.
        limit (int, optional): at most so many images. They are taken in rounds, one for everything, then a second one;
            so a limit costs variety last.

    Returns:
        tuple: the examples, in the order of the files, and how many there would be without ``limit``.
    """
    shows = _contents(reports)
    images_of: dict[Hashable, list[Image]] = {}
    for image, topics in shows.items():
        for topic in topics:
            images_of.setdefault(topic, []).append(image)
    wanted = {topic: per_flag if topic[1] == "flag" else per_triplet for topic in images_of}
    chosen = _in_rounds(images_of, wanted, shows)
    kept = sorted(chosen[:limit])
    problems = [_by_entry(report.problems) for report in reports]
    examples = []
    for split, i in kept:
        entry = reports[split].entries[i]
        examples.append(Example(split, entry, tuple(problems[split].get(entry.position, ()))))
    return examples, len(chosen)


def _contents(reports: Sequence[SplitReport]) -> dict[Image, list[Hashable]]:
    """What each image shows: topics (split, "triplet", key) and (split, "flag", name of its kind)."""
    shows: dict[Image, list[Hashable]] = {}
    for split, report in enumerate(reports):
        tables = report.tables
        keys = triplet_keys(tables, len(report.classes))
        topics = [(i, (split, "triplet", key)) for i, key in zip(tables.hoi_image.tolist(), keys.tolist(), strict=True)]
        rows = {entry.position: i for i, entry in enumerate(report.entries)}
        flags = [(rows[p.entry], (split, "flag", p.kind)) for p in report.problems if p.entry in rows]
        for i, topic in dict.fromkeys(topics + flags):
            shows.setdefault((split, i), []).append(topic)
    return shows


def _in_rounds(
    images_of: Mapping[Hashable, list[Image]],
    wanted: Mapping[Hashable, int],
    shows: Mapping[Image, list[Hashable]],
) -> list[Image]:
    """Chosen images in the order of choice."""
    # Images of a rare topic mostly show a frequent one, too, but not the other way round.
    order = sorted(images_of, key=lambda topic: len(images_of[topic]))
    candidates = {topic: spread(sorted(images_of[topic]), wanted[topic]) for topic in order}
    chosen: dict[Image, None] = {}
    shown: Counter = Counter()
    for number in range(1, max(wanted.values(), default=0) + 1):
        for topic in order:
            if shown[topic] < min(number, len(candidates[topic])):
                image = next(image for image in candidates[topic] if image not in chosen)
                chosen[image] = None
                shown.update(shows[image])
    return [*chosen]


def spread(items: Sequence, number: int) -> list:
    """``number`` of the items, or all if there are fewer, evenly spread.

    >>> spread("abcdefghij", 3), spread("ab", 3)
    (['b', 'f', 'i'], ['a', 'b'])
    """
    if len(items) <= number:
        return [*items]
    return [items[(2 * i + 1) * len(items) // (2 * number)] for i in range(number)]


def _by_entry(problems: Iterable[Problem]) -> dict[int, list[Problem]]:
    found: dict[int, list[Problem]] = {}
    for problem in problems:
        found.setdefault(problem.entry, []).append(problem)
    return found
