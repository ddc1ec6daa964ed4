"""Predictions as JSON: an entry of the project's prediction file, with names."""

from collections.abc import Mapping, Sequence

from hqm_mmdet.visualization import ShownPair


def prediction_record(name: str, size: tuple[int, int], pairs: Sequence[ShownPair], metainfo: Mapping, **more) -> dict:
    """One image as an entry of a prediction file, see ``docs/inference.md``.

    Args:
        name (str): of the image.
        size (tuple[int, int]): height and width in pixels.
        pairs (Sequence[ShownPair]): best first.
        metainfo (Mapping): ``classes``, ``verbs``, ``category_ids``, ``verb_ids``.
        **more: further keys, e.g. ``frame``.
    """
    boxes, hois = [], []
    subject_label = int(metainfo.get("subject_label", 0))
    for pair in pairs:
        subject, obj = len(boxes), -1 if pair.obj_box is None else len(boxes) + 1
        boxes.append(_box(pair.sub_box, subject_label, metainfo))
        if pair.obj_box is not None:
            boxes.append(_box(pair.obj_box, pair.obj_label, metainfo))
        for verb, score in zip(pair.verbs, pair.scores, strict=True):
            names = dict(verb=metainfo["verbs"][verb], object=None if obj < 0 else metainfo["classes"][pair.obj_label])
            ids = dict(subject_id=subject, object_id=obj, category_id=metainfo["verb_ids"][verb])
            hois.append({**ids, "score": round(score, 6), **names})
    hois.sort(key=lambda hoi: -hoi["score"])
    height, width = size
    return dict(file_name=name, **more, width=width, height=height, predictions=boxes, hoi_prediction=hois)


def _box(box: Sequence[float], label: int, metainfo: Mapping) -> dict:
    return dict(
        bbox=[round(v, 2) for v in box],
        category_id=metainfo["category_ids"][label],
        category=metainfo["classes"][label],
    )
