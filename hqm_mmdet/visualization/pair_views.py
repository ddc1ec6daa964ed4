"""From labelled and predicted pairs to what is drawn: names, scores and colours."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from hqm_mmdet.structures import plain_name

from .drawing import PairView
from .labels import Box
from .selection import ShownPair

MAX_LINES = 4  # verbs of a pair beyond are counted only


def labelled_views(gt_hois: Mapping, metainfo: Mapping) -> list[PairView]:
    """Views of labelled pairs; verbs of the same pair share one.

    Args:
        gt_hois (Mapping): ``boxes`` (N, 4), ``labels`` (N,), ``hois`` (M, 3) of subject, object or -1, verb.
        metainfo (Mapping): ``classes`` and ``verbs``.
    """
    verbs_of: dict[tuple[int, int], list[int]] = {}
    for subject, obj, verb in gt_hois["hois"]:
        verbs_of.setdefault((int(subject), int(obj)), []).append(int(verb))
    views = []
    for number, ((subject, obj), verbs) in enumerate(verbs_of.items()):
        label = None if obj < 0 else int(gt_hois["labels"][obj])
        obj_box = None if obj < 0 else tuple(gt_hois["boxes"][obj])
        views.append(PairView(tuple(gt_hois["boxes"][subject]), obj_box, describe(metainfo, label, verbs), number))
    return views


def predicted_views(
    pairs: Iterable[ShownPair], metainfo: Mapping, colours: Mapping[int, int] | None = None
) -> list[PairView]:
    """Views of predicted pairs.

    Args:
        pairs (Iterable[ShownPair]): best first.
        metainfo (Mapping): ``classes`` and ``verbs``.
        colours (Mapping[int, int], optional): colour numbers by the pairs' ``index``. Default: their order.
    """
    return [
        PairView(
            pair.sub_box,
            pair.obj_box,
            describe(metainfo, pair.obj_label, pair.verbs, pair.scores),
            number if colours is None else colours[pair.index],
        )
        for number, pair in enumerate(pairs)
    ]


def describe(metainfo: Mapping, label: int | None, verbs: Sequence[int], scores: Sequence[float] | None = None) -> str:
    """``sit on bicycle 0.57``, a line per verb."""
    obj = "" if label is None else f" {metainfo['classes'][label]}"
    tails = [""] * len(verbs) if scores is None else [f" {score:.2f}" for score in scores]
    lines = [f"{metainfo['verbs'][verb]}{obj}{tail}" for verb, tail in zip(verbs, tails, strict=True)]
    if len(lines) > MAX_LINES:
        lines[MAX_LINES - 1 :] = [f"and {len(lines) - MAX_LINES + 1} more"]
    return plain_name("\n".join(lines))


def with_colours_of(views: Sequence[PairView], others: Sequence[PairView], min_iou: float = 0.5) -> list[PairView]:
    """Views that take the colour of the one among ``others`` that shows the same pair; the rest get new colours."""
    taken = {view.colour for view in others}
    free = (number for number in range(len(views) + len(others) + 1) if number not in taken)
    coloured, left = [], list(others)
    for view in views:
        best = max(left, key=lambda other: _overlap(view, other), default=None)
        if best is not None and _overlap(view, best) >= min_iou:
            left.remove(best)
            coloured.append(replace(view, colour=best.colour))
        else:
            coloured.append(replace(view, colour=next(free)))
    return coloured


def _overlap(a: PairView, b: PairView) -> float:
    """Smaller IoU of both boxes; 0 if only one of the pairs has an object."""
    if (a.obj_box is None) != (b.obj_box is None):
        return 0.0
    subjects = _iou(a.sub_box, b.sub_box)
    return subjects if a.obj_box is None else min(subjects, _iou(a.obj_box, b.obj_box))


def _iou(a: Box, b: Box) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inner = max(0.0, width) * max(0.0, height)
    outer = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)) - inner
    return inner / outer if outer > 0 else 0.0
