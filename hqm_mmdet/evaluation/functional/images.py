"""One image's arrays as tables of triplets; here bad input is refused by name."""

import numpy as np

from ..errors import EvaluationError
from .candidates import select_candidates
from .triplets import TripletCoder, TripletTable


def prediction_table(
    sub_boxes: np.ndarray,
    obj_boxes: np.ndarray,
    obj_labels: np.ndarray,
    verb_scores: np.ndarray,
    coder: TripletCoder,
    verb_mask: np.ndarray | None = None,
    top_k: int | None = 100,
    sub_labels: np.ndarray | int = 0,
    image: object = "?",
    partial: bool = False,
    hois: tuple[np.ndarray, np.ndarray] | None = None,
) -> TripletTable:
    """Candidates of one image, in descending score order.

    Args:
        sub_boxes, obj_boxes (ndarray): (P, 4) x1, y1, x2, y2 in pixels of the original image.
        obj_labels (ndarray): (P,) int in 0..C.
        verb_scores (ndarray): (P, V), already times the object score where the method does so; or (P, H), scores of
            HOI classes.
        coder (TripletCoder): numbers of classes.
        verb_mask, top_k: see :func:`~.candidates.select_candidates`.
        sub_labels (ndarray | int): (P,) or one label for all. Default: 0, person.
        image (object): names the image in messages.
        partial (bool): whether a NaN score means "not predicted" and not an error. Default: False.
        hois (tuple[ndarray, ndarray], optional): verb and object label (H,) of each HOI class. A candidate's class then
            comes from its HOI class: neither the pair's object label nor ``verb_mask`` has a say. Default: None.

    Returns:
        TripletTable: K rows, boxes and scores in float32, ``image`` all 0.

    Raises:
        EvaluationError: NaN or infinite score or coordinate, label out of range, unequal lengths, wrong
            number of verbs.
    """
    obj_labels = np.asarray(obj_labels, dtype=np.int64).reshape(-1)
    verb_scores = np.asarray(verb_scores, dtype=np.float32)
    # An empty list has the shape (0,).
    columns, what = (coder.num_verbs, "verb") if hois is None else (len(hois[0]), "HOI")
    if not len(obj_labels):
        verb_scores = verb_scores.reshape(0, columns)
    if verb_scores.ndim == 2 and verb_scores.shape[1] != columns:
        raise EvaluationError(
            f"image {image!r}: {verb_scores.shape[1]} {what} scores per pair, but the data set has "
            f"{columns} {'verbs' if hois is None else 'HOI classes'}; model and data set do not belong together."
        )
    sub_boxes = _finite_boxes(sub_boxes, len(obj_labels), np.float32, image)
    obj_boxes = _finite_boxes(obj_boxes, len(obj_labels), np.float32, image)
    _check_labels(obj_labels, coder.num_objects, image)
    mask = verb_mask if hois is None else None
    pair, column, score = select_candidates(verb_scores, obj_labels, mask, top_k, image, partial)
    verb, label = (column, obj_labels[pair]) if hois is None else (hois[0][column], hois[1][column])
    sub_labels = np.broadcast_to(sub_labels, obj_labels.shape)
    # 32 bits: the tables of all images are held until the end of the test.
    classes = coder.encode(sub_labels[pair], label, verb).astype(np.int32)
    no_image = np.zeros(len(pair), np.int32)
    return TripletTable(no_image, classes, sub_boxes[pair], obj_boxes[pair], score)


def ground_truth_table(
    boxes: np.ndarray, labels: np.ndarray, hois: np.ndarray, coder: TripletCoder, image: object = "?"
) -> TripletTable:
    """Annotated triplets of one image, in the order of the annotation.

    Args:
        boxes (ndarray): (N, 4) x1, y1, x2, y2 as in the annotation file.
        labels (ndarray): (N,) int in 0..C-1.
        hois (ndarray): (M, 3) int, subject index, object index (-1 = no object), verb.
        coder (TripletCoder): numbers of classes.
        image (object): names the image in messages.

    Returns:
        TripletTable: M rows without scores, boxes in float64, ``image`` all 0. An absent object is a
        zero box with label C.

    Raises:
        EvaluationError: index, label or verb out of range, coordinate not finite.
    """
    labels = np.asarray(labels, dtype=np.int64).reshape(-1)
    hois = _table(hois, 3, np.int64, "hois", image)
    boxes = _finite_boxes(boxes, len(labels), np.float64, image)
    _check_labels(labels, coder.num_objects - 1, image)
    _check_hois(hois, len(labels), coder.num_verbs, image)
    # One more row, which index -1 selects: the absent object.
    boxes = np.concatenate([boxes, np.zeros((1, 4))])
    labels = np.append(labels, coder.absent_object_label)
    sub, obj, verb = hois.T
    classes = coder.encode(labels[sub], labels[obj], verb).astype(np.int32)
    return TripletTable(np.zeros(len(hois), np.int32), classes, boxes[sub], boxes[obj])


def _finite_boxes(boxes, length, dtype, image) -> np.ndarray:
    boxes = _table(boxes, 4, dtype, "boxes", image)
    if len(boxes) != length:
        raise EvaluationError(f"image {image!r}: {len(boxes)} boxes for {length} labels.")
    if not np.isfinite(boxes).all():
        row = np.argwhere(~np.isfinite(boxes))[0, 0]
        raise EvaluationError(
            f"image {image!r}: box {row} is {boxes[row].tolist()}; coordinates must be finite "
            "(an absent object is a zero box with its own label). Check the model's weights, or its inputs, for NaN."
        )
    return boxes


def _table(rows, columns, dtype, name, image) -> np.ndarray:
    rows = np.asarray(rows, dtype=dtype)
    if not rows.size:
        return np.zeros((0, columns), dtype)
    if rows.ndim != 2 or rows.shape[1] != columns:
        raise EvaluationError(f"image {image!r}: {name} must be rows of {columns} numbers, got the shape {rows.shape}.")
    return rows


def _check_labels(labels, largest, image) -> None:
    wrong = np.flatnonzero((labels < 0) | (labels > largest))
    if len(wrong):
        raise EvaluationError(
            f"image {image!r}: label {labels[wrong[0]]} of entry {wrong[0]} is not in 0..{largest}; "
            "annotation or model belongs to another data set."
        )


def _check_hois(hois, num_boxes, num_verbs, image) -> None:
    low, high = np.array([0, -1, 0]), np.array([num_boxes, num_boxes, num_verbs])
    wrong = np.flatnonzero(((hois < low) | (hois >= high)).any(1))
    if len(wrong):
        raise EvaluationError(
            f"image {image!r}: HOI {wrong[0]} is (subject, object, verb) = {hois[wrong[0]].tolist()}, but "
            f"there are {num_boxes} boxes and {num_verbs} verbs (object -1 = no object)."
        )
