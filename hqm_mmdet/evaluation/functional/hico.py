"""Stage d and the whole: HICO-DET mean average precision."""

import numpy as np

from .average_precision import ClassResults, class_results
from .matching import match_triplets
from .protocol import QPIC, EvalProtocol
from .triplets import TripletCoder, TripletTable


def evaluate_triplets(
    preds: TripletTable,
    gts: TripletTable,
    num_boxes: np.ndarray,
    coder: TripletCoder,
    protocol: EvalProtocol = QPIC,
    known_object: bool = False,
) -> dict[str, ClassResults]:
    """Per-class results over a set of images, in one or both settings of HICO-DET.

    Args:
        preds (TripletTable): Candidates of all images; per image in descending score order.
        gts (TripletTable): Ground truth of all images.
        num_boxes (ndarray): (I,) int, annotated boxes of every evaluated image, with or without HOI.
        coder (TripletCoder): Numbers of classes.
        protocol (EvalProtocol): Conventions. Defaults to :data:`~.protocol.QPIC`.
        known_object (bool): Whether to add the known-object setting.

    Returns:
        dict[str, ClassResults]: ``default`` and, if asked for, ``known_object``.

    Raises:
        ValueError: A row belongs to an image that is not evaluated.
    """
    num_boxes = np.asarray(num_boxes)
    _check_images(preds.image, len(num_boxes), "prediction")
    _check_images(gts.image, len(num_boxes), "ground truth")
    if not protocol.compares_subject_labels:
        preds, gts = _without_subject_label(preds, coder), _without_subject_label(gts, coder)
    is_tp = match_triplets(preds, gts, coder, protocol)
    counted = np.ones(len(preds), dtype=bool)
    if protocol.skips_images_without_boxes:
        counted = num_boxes[preds.image] > 0

    def results(rows: np.ndarray) -> ClassResults:
        return class_results(
            preds.classes[rows], preds.scores[rows], is_tp[rows], gts.classes, protocol.recall_thresholds
        )

    settings = {"default": results(counted)}
    if known_object:
        settings["known_object"] = results(counted & known_object_mask(preds, gts, coder))
    return settings


def known_object_mask(preds: TripletTable, gts: TripletTable, coder: TripletCoder) -> np.ndarray:
    """Candidates that count in the known-object setting.

    The official protocol keeps, for each class, the images annotated with any HOI of the same object. Its
    image-level labels (``anno.mat``) also know HOIs without visible boxes; here an image needs an HOI with
    boxes, because that is what annotation files hold.

    Returns:
        ndarray: (N,) bool over ``preds``.
    """

    def keys(table: TripletTable) -> np.ndarray:
        _, obj_labels, _ = coder.decode(table.classes)
        return table.image.astype(np.int64) * (coder.num_objects + 1) + obj_labels

    return np.isin(keys(preds), keys(gts))


def mean_results(results: ClassResults, rare_classes: np.ndarray) -> dict[str, float]:
    """Means over classes with ground truth.

    Args:
        results (ClassResults): Results of one setting.
        rare_classes (ndarray): Triplet classes of the rare set; all others are non-rare.

    Returns:
        dict[str, float]: ``full``, ``rare``, ``non_rare`` mean AP and ``max_recall``, fractions. NaN
        where the set holds no class with ground truth.
    """
    rare = np.isin(results.classes, rare_classes)
    return dict(
        full=_mean(results.ap),
        rare=_mean(results.ap[rare]),
        non_rare=_mean(results.ap[~rare]),
        max_recall=_mean(results.max_recall),
    )


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _without_subject_label(table: TripletTable, coder: TripletCoder) -> TripletTable:
    _, obj_labels, verbs = coder.decode(table.classes)
    classes = coder.encode(0, obj_labels, verbs)
    return TripletTable(table.image, classes, table.sub_boxes, table.obj_boxes, table.scores)


def _check_images(image: np.ndarray, num_images: int, what: str) -> None:
    unknown = np.unique(image[(image < 0) | (image >= num_images)])
    if len(unknown):
        raise ValueError(
            f"{what} for unknown image indices {unknown[:5].tolist()} ({len(unknown)} in all); "
            f"{num_images} images are evaluated."
        )
