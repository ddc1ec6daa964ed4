"""Images of a report with what is labelled and what was predicted."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from hqm_mmdet.evaluation.analysis import ImageCase

from ..figures import UNJUDGED, boxes_of, figure_data
from ..formats import percent, plural
from ..pictures import ImageFolder


def collect_pictures(groups: Iterable[Sequence[ImageCase]], images: ImageFolder) -> dict[str, dict]:
    """Each image once, however often it is shown.

    Args:
        groups (Iterable[Sequence[ImageCase]]): cases of the same image lie in the same group, so that its canvas
            holds the boxes of all.
        images (ImageFolder): where they lie.
    """
    boxes: dict[str, list] = {}
    for cases in groups:
        for case in cases:
            boxes.setdefault(case.file_name, []).extend(boxes_of(case.labelled, case.predicted))
    return {name: images.picture(name, found).as_dict() for name, found in boxes.items()}


def case_figure(case: ImageCase) -> dict:
    """Labelled beside predicted."""
    sets = [("Labelled", case.labelled), ("Predicted", case.predicted)]
    return figure_data(case.file_name, case.file_name, sets, facts_of(case))


def pair_figure(first: ImageCase, second: ImageCase, names: tuple[str, str]) -> dict:
    """Labelled, then what each of two runs predicted; whether a labelled triplet was found depends on the run."""
    labelled = [replace(triplet, verdict=UNJUDGED) for triplet in first.labelled]
    sets = [("Labelled", labelled), (names[0], first.predicted), (names[1], second.predicted)]
    found = f"{first.num_found} → {second.num_found} of {plural(first.num_gt, 'labelled triplet')} found"
    facts = [f"AP {percent(first.ap, 1)} → {percent(second.ap, 1)}", found]
    return figure_data(first.file_name, first.file_name, sets, facts)


def facts_of(case: ImageCase) -> list[str]:
    """How an image fared."""
    return [f"AP {percent(case.ap, 1)}", f"{case.num_found} of {plural(case.num_gt, 'labelled triplet')} found"]
