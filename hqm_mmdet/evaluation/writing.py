"""Predictions as entries of the JSON prediction file."""

from collections.abc import Mapping

import numpy as np

from .functional import select_candidates, verb_mask_by_object


def prediction_entry(file_name: str, pairs: Mapping, metainfo: Mapping, top_k: int | None = None) -> dict:
    """One image's entry; :func:`~hqm_mmdet.evaluation.offline.read_predictions` gives the pairs back exactly.

    Args:
        file_name (str): As in the annotation file.
        pairs (Mapping): ``sub_bboxes``, ``obj_bboxes`` (P, 4) x1, y1, x2, y2 in pixels of the original image,
            ``obj_labels`` (P,), ``verb_scores`` (P, V), as arrays.
        metainfo (Mapping): ``classes``, ``category_ids``, ``verbs``, ``verb_ids`` of the data set.
        top_k (int, optional): Write the best k (pair, verb) scores, one verb per entry; those of combinations that
            ``metainfo['valid_pairs']`` forbids, if it is there, are 0 first, as in the metrics. None writes all scores
            as they are, one list per pair.

    Returns:
        dict: ``file_name``, ``predictions``, ``hoi_prediction``.

    Raises:
        ValueError: A score is not finite.
    """
    sub, obj = (np.asarray(pairs[key], np.float32).reshape(-1, 4) for key in ("sub_bboxes", "obj_bboxes"))
    labels = np.asarray(pairs["obj_labels"], np.int64).reshape(-1)
    scores = np.asarray(pairs["verb_scores"], np.float32).reshape(-1, len(metainfo["verbs"]))
    mask = None
    if top_k is not None and metainfo.get("valid_pairs") is not None:
        mask = verb_mask_by_object(metainfo["valid_pairs"], len(metainfo["classes"]))
    pair, verb, kept = select_candidates(scores, labels, mask, top_k, file_name)
    if top_k is None:
        rows = [(p, dict(score=_numbers(row))) for p, row in enumerate(scores)]
    else:
        ids = metainfo["verb_ids"]
        rows = [(p, dict(category_id=ids[v], score=s)) for p, v, s in zip(pair, verb, _numbers(kept), strict=True)]
    number = len(labels)
    has_object = labels < len(metainfo["classes"])
    box_labels = [metainfo.get("subject_label", 0)] * number + np.where(has_object, labels, 0).tolist()
    boxes = [
        dict(bbox=_numbers(box), category_id=metainfo["category_ids"][label])
        for box, label in zip(np.concatenate([sub, obj]), box_labels, strict=True)
    ]
    hois = [dict(subject_id=int(p), object_id=int(number + p) if has_object[p] else -1, **score) for p, score in rows]
    return dict(file_name=file_name, predictions=boxes, hoi_prediction=hois)


def _numbers(values: np.ndarray) -> list[float]:
    """Nine digits tell float32 numbers apart; more would be noise."""
    return [float(f"{value:.9g}") for value in values]
