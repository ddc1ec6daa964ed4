"""Predictions as entries of the JSON prediction file."""

from collections.abc import Mapping, Sequence

import numpy as np

from .functional import select_candidates, verb_mask_by_object

NO_OBJECT = -1  # object_id of a pair without object


def prediction_entry(file_name: str, pairs: Mapping, metainfo: Mapping, top_k: int | None = None) -> dict:
    """One image's entry; :func:`~hqm_mmdet.evaluation.offline.read_predictions` gives the pairs back exactly.

    Args:
        file_name (str): as in the annotation file.
        pairs (Mapping): ``sub_bboxes``, ``obj_bboxes`` (P, 4) x1, y1, x2, y2 in pixels of the original image,
            ``obj_labels`` (P,), ``verb_scores`` (P, V), as arrays.
        metainfo (Mapping): ``classes``, ``category_ids``, ``verbs``, ``verb_ids`` of the data set.
        top_k (int, optional): write the best k (pair, verb) scores, one verb per entry; those of combinations that
            ``metainfo['valid_pairs']`` forbids, if it is there, are 0 first, as in the metrics. None writes all scores
            as they are, one list per pair.

    Returns:
        dict: ``file_name``, ``predictions``, ``hoi_prediction``.

    Raises:
        EvaluationError: A score is not finite.
    """
    sub, obj = (np.asarray(pairs[key], np.float32).reshape(-1, 4) for key in ("sub_bboxes", "obj_bboxes"))
    labels = np.asarray(pairs["obj_labels"], np.int64).reshape(-1)
    scores = np.asarray(pairs["verb_scores"], np.float32).reshape(-1, len(metainfo["verbs"]))
    mask = None
    if top_k is not None and metainfo.get("valid_pairs") is not None:
        mask = verb_mask_by_object(metainfo["valid_pairs"], len(metainfo["classes"]))
    pair, verb, kept = select_candidates(scores, labels, mask, top_k, file_name)
    if top_k is None:
        rows = [(p, dict(score=_digits(row))) for p, row in enumerate(scores)]
    else:
        rows = [(p, _scored(v, s, metainfo)) for p, v, s in zip(pair, verb, _digits(kept), strict=True)]
    number = len(labels)
    has_object = labels < len(metainfo["classes"])
    # A pair without object keeps a row among the boxes, so that object p is row P + p; its class means nothing.
    box_labels = [_subject_label(metainfo)] * number + np.where(has_object, labels, 0).tolist()
    boxes = [_box(_digits(box), label, metainfo) for box, label in zip((*sub, *obj), box_labels, strict=True)]
    hois = [_hoi(int(p), int(number + p) if has_object[p] else NO_OBJECT, score) for p, score in rows]
    return dict(file_name=file_name, predictions=boxes, hoi_prediction=hois)


def shown_entry(name: str, size: tuple[int, int], pairs: Sequence, metainfo: Mapping, **more) -> dict:
    """One image's entry for readers, see ``docs/inference.md``: rounded, with names, best score first.

    Args:
        name (str): of the image.
        size (tuple[int, int]): height and width in pixels.
        pairs (Sequence[ShownPair]): best first.
        metainfo (Mapping): as of :func:`prediction_entry`.
        **more: further keys, e.g. ``frame``.
    """
    boxes, hois = [], []

    def add_box(box: Sequence[float], label: int) -> int:
        corners = [round(v, 2) for v in box]
        boxes.append(dict(_box(corners, label, metainfo), category=metainfo["classes"][label]))
        return len(boxes) - 1

    for pair in pairs:
        subject = add_box(pair.sub_box, _subject_label(metainfo))
        obj = NO_OBJECT if pair.obj_box is None else add_box(pair.obj_box, pair.obj_label)
        name_of_object = None if obj == NO_OBJECT else metainfo["classes"][pair.obj_label]
        for verb, score in zip(pair.verbs, pair.scores, strict=True):
            names = dict(verb=metainfo["verbs"][verb], object=name_of_object)
            hois.append(_hoi(subject, obj, _scored(verb, round(score, 6), metainfo) | names))
    hois.sort(key=lambda hoi: -hoi["score"])
    height, width = size
    return dict(file_name=name, **more, width=width, height=height, predictions=boxes, hoi_prediction=hois)


def _box(corners: list[float], label: int, metainfo: Mapping) -> dict:
    return dict(bbox=corners, category_id=metainfo["category_ids"][label])


def _hoi(subject: int, obj: int, scored: Mapping) -> dict:
    return dict(subject_id=subject, object_id=obj, **scored)


def _scored(verb: int, score: float, metainfo: Mapping) -> dict:
    return dict(category_id=metainfo["verb_ids"][verb], score=score)


def _subject_label(metainfo: Mapping) -> int:
    return int(metainfo.get("subject_label", 0))


def _digits(values: np.ndarray) -> list[float]:
    """Nine digits tell float32 numbers apart; more would be noise."""
    return [float(f"{value:.9g}") for value in values]
