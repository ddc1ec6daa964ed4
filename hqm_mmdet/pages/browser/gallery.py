"""Images with their HOIs, for the gallery and the lightbox."""

from collections.abc import Callable, Iterable, Sequence

from hqm_mmdet.datasets.annotations import NO_OBJECT
from hqm_mmdet.datasets.checking import CheckedEntry, Problem
from hqm_mmdet.datasets.overview import Example
from hqm_mmdet.evaluation.analysis import Triplet

from ..figures import figure_data
from ..formats import plural
from ..pictures import ImageFolder
from .source import BrowsedDataset

FOUND = "Found by the checks"
Shown = Callable[[Sequence[Example]], Iterable[Example]]


def gallery_data(source: BrowsedDataset, folders: Sequence[ImageFolder], bar: Shown) -> tuple[list[dict], dict]:
    """All examples as figures, and their pictures.

    Args:
        source (BrowsedDataset): the data set.
        folders (Sequence[ImageFolder]): where the images of each split lie.
        bar (Callable): goes through the examples, showing the progress.

    Returns:
        tuple: figures, each with ``split`` and ``flags`` (names of kinds) besides what
        :func:`~hqm_mmdet.pages.figures.figure_data` gives; pictures by key.
    """
    figures, pictures = [], {}
    for number, example in enumerate(bar(source.examples)):
        entry = example.entry
        boxes = [box for box, _ in entry.boxes.values()]
        pictures[str(number)] = folders[example.split].picture(entry.file_name, boxes).as_dict()
        figures.append(_figure(source, example, str(number)))
    return figures, pictures


def _figure(source: BrowsedDataset, example: Example, picture: str) -> dict:
    entry, overview = example.entry, source.overview
    labelled = _labelled(entry, overview.classes, overview.verbs)
    unpaired = _unpaired(entry, overview.classes)
    found = [t for problem in example.problems if (t := _found(source, entry, problem))]
    told = [_told(source, problem) for problem in example.problems if not problem.boxes]
    sets = [("Annotated HOIs", labelled)]
    sets += [("Boxes without HOI", unpaired)] if unpaired else []
    sets += [(FOUND, found)] if found else []
    numbers = [plural(len(labelled), "HOI"), plural(len(entry.boxes), "box", "boxes")]
    figure = figure_data(entry.file_name, picture, sets, [source.splits[example.split], *numbers, *told])
    for position, shown in enumerate(figure["sets"]):
        # The lightbox begins with the HOIs; other sets are drawn when asked for.
        shown |= dict(whole=True, off=position > 0)
        _number_pairs(shown["triplets"])
    return figure | dict(split=example.split, flags=[*dict.fromkeys(problem.kind for problem in example.problems)])


def _labelled(entry: CheckedEntry, classes: Sequence[str], verbs: Sequence[str]) -> list[Triplet]:
    """HOIs whose boxes can be read."""
    triplets = []
    for subject, obj, verb in entry.hois.values():
        if subject in entry.boxes and (obj == NO_OBJECT or obj in entry.boxes):
            box, label = (None, None) if obj == NO_OBJECT else entry.boxes[obj]
            name = None if label is None else classes[label]
            triplets.append(Triplet(entry.boxes[subject][0], box, verbs[verb], name, None, ""))
    return triplets


def _unpaired(entry: CheckedEntry, classes: Sequence[str]) -> list[Triplet]:
    paired = {i for subject, obj, _ in entry.hois.values() for i in (subject, obj)}
    rest = (row for i, row in entry.boxes.items() if i not in paired)
    return [Triplet(box, None, classes[label], None, None, "") for box, label in rest]


def _found(source: BrowsedDataset, entry: CheckedEntry, problem: Problem) -> Triplet | None:
    """The boxes that a finding is about, named after it and their classes; None where it is about none."""
    rows = [entry.boxes[i] for i in problem.boxes if i in entry.boxes]
    if not rows:
        return None
    boxes, labels = zip(*rows, strict=True)
    names = ", ".join(dict.fromkeys(source.overview.classes[label] for label in labels))
    second = boxes[1] if len(boxes) > 1 else None
    return Triplet(boxes[0], second, problem.kind, f"({names})", None, source.without_folders(problem.detail))


def _told(source: BrowsedDataset, problem: Problem) -> str:
    detail = source.without_folders(problem.detail)
    return f"{problem.kind}: {detail}" if detail else problem.kind


def _number_pairs(triplets: Sequence[dict]) -> None:
    """Give all triplets of a pair the same ``number``, which its colour follows from."""
    numbers: dict[str, int] = {}
    for triplet in triplets:
        triplet["number"] = numbers.setdefault(f"{triplet['sub']} {triplet['obj']}", len(numbers))
