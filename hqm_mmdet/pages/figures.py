"""Images with pairs drawn on them (``static/kit/figures.js``), and the lightbox that shows them large."""

from collections.abc import Sequence

from hqm_mmdet.evaluation.analysis import Triplet
from hqm_mmdet.structures import plain_name

from .formats import finite

UNJUDGED = "labelled"  # verdict of what is shown as labelled, without saying whether it was found


def triplet_data(triplet: Triplet) -> dict:
    """A triplet for ``data`` of a page; boxes with a tenth of a pixel."""
    return dict(
        sub=_box(triplet.sub_box),
        obj=None if triplet.obj_box is None else _box(triplet.obj_box),
        verb=plain_name(triplet.verb),
        object=plain_name(triplet.object),
        score=finite(triplet.score, 3),
        verdict=triplet.verdict,
    )


def figure_data(
    caption: str, picture: str, sets: Sequence[tuple[str, Sequence[Triplet]]], facts: Sequence[str] = ()
) -> dict:
    """One image with its triplets, for ``makeFigures``.

    Args:
        caption (str): name of the image.
        picture (str): key in the page's ``pictures``.
        sets (Sequence[tuple[str, Sequence[Triplet]]]): what can be shown, by name, e.g. ``Labelled``, ``Predicted``.
        facts (Sequence[str]): short statements, e.g. ``AP 12.3``.

    Returns:
        dict: plain values. A set may be given ``whole``: the lightbox draws all of it, not only as many as the first
        set has; ``off``: the lightbox draws it when asked to.
    """
    shown = [dict(name=name, triplets=[triplet_data(triplet) for triplet in triplets]) for name, triplets in sets]
    return dict(caption=caption, picture=picture, sets=shown, facts=list(facts))


def boxes_of(*groups: Sequence[Triplet]) -> list:
    """All boxes of triplets, for the extent of a canvas."""
    return [box for group in groups for triplet in group for box in (triplet.sub_box, triplet.obj_box)]


def _box(box: Sequence[float]) -> list[float | None]:
    return [finite(value, 1) for value in box]
