"""Stage d and the whole: HICO-DET mean average precision."""

import numpy as np

from .average_precision import ClassResults, RankedCandidates, class_columns, mean_over_classes
from .judged import JudgedCandidates
from .matching import assign_triplets
from .protocol import QPIC, EvalProtocol
from .triplets import TripletCoder, TripletTable


def judge_triplets(
    preds: TripletTable,
    gts: TripletTable,
    num_boxes: np.ndarray,
    coder: TripletCoder,
    protocol: EvalProtocol = QPIC,
) -> JudgedCandidates:
    """Match the candidates of a set of images.

    Args:
        preds (TripletTable): candidates of all images; per image in descending score order.
        gts (TripletTable): ground truth of all images.
        num_boxes (ndarray): (I,) int, annotated boxes of every evaluated image, with or without HOI.
        coder (TripletCoder): numbers of classes.
        protocol (EvalProtocol): conventions. Default: :data:`~.protocol.QPIC`.

    Returns:
        JudgedCandidates: A column is a triplet class with ground truth.

    Raises:
        ValueError: A row belongs to an image that is not evaluated.
    """
    num_boxes = np.asarray(num_boxes)
    _check_images(preds.image, len(num_boxes), "prediction")
    _check_images(gts.image, len(num_boxes), "ground truth")
    if not protocol.compares_subject_labels:
        preds, gts = _without_subject_label(preds, coder), _without_subject_label(gts, coder)
    if protocol.skips_images_without_boxes and not num_boxes.all():
        # QPIC's evaluator loses the false positives of images without any box.
        preds = preds[num_boxes[preds.image] > 0]
    is_tp, taken_by = assign_triplets(preds, gts, coder, protocol)
    classes, pred_column, gt_column = class_columns(preds.classes, gts.classes)
    _, obj_labels, verbs = coder.decode(classes)
    return JudgedCandidates(
        preds,
        gts,
        coder,
        pred_column,
        gt_column,
        is_tp,
        taken_by,
        classes,
        np.stack([verbs, obj_labels], axis=1),
        np.ones(len(classes), dtype=bool),
        protocol,
    )


def rank_triplets(judged: JudgedCandidates, known_object: bool = False) -> dict[str, RankedCandidates]:
    """Sort candidates for one or both settings of HICO-DET.

    Args:
        judged (JudgedCandidates): of :func:`judge_triplets`.
        known_object (bool): whether to add the known-object setting.

    Returns:
        dict[str, RankedCandidates]: ``default`` and, if asked for, ``known_object``.
    """
    settings = {"default": judged.ranked()}
    if known_object:
        mask = known_object_mask(judged.preds, judged.gts, judged.coder)
        settings["known_object"] = judged.ranked().keep(mask)
    return settings


def evaluate_triplets(
    preds: TripletTable,
    gts: TripletTable,
    num_boxes: np.ndarray,
    coder: TripletCoder,
    protocol: EvalProtocol = QPIC,
    known_object: bool = False,
) -> dict[str, ClassResults]:
    """Per-class results over a set of images; arguments and errors as in :func:`judge_triplets`.

    Returns:
        dict[str, ClassResults]: ``default`` and, if ``known_object``, that setting.
    """
    ranked = rank_triplets(judge_triplets(preds, gts, num_boxes, coder, protocol), known_object)
    return {name: setting.results(protocol.recall_thresholds) for name, setting in ranked.items()}


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
        # Image and object class as one number.
        return table.image.astype(np.int64) * (coder.num_objects + 1) + obj_labels

    return np.isin(keys(preds), keys(gts))


def mean_results(
    results: ClassResults, rare_classes: np.ndarray, unseen_classes: np.ndarray | None = None
) -> dict[str, float]:
    """Means over classes with ground truth.

    Args:
        results (ClassResults): results of one setting.
        rare_classes (ndarray): triplet classes of the rare set; all others are non-rare.
        unseen_classes (ndarray, optional): triplet classes that a zero-shot split keeps from training.

    Returns:
        dict[str, float]: ``full``, ``rare``, ``non_rare`` mean AP and ``max_recall``, fractions; with a zero-shot
        split ``seen`` and ``unseen``. NaN where the set holds no class with ground truth.
    """
    rare = np.isin(results.classes, rare_classes)
    means = dict(
        full=mean_over_classes(results.ap),
        rare=mean_over_classes(results.ap[rare]),
        non_rare=mean_over_classes(results.ap[~rare]),
        max_recall=mean_over_classes(results.max_recall),
    )
    if unseen_classes is not None:
        unseen = np.isin(results.classes, unseen_classes)
        means |= dict(seen=mean_over_classes(results.ap[~unseen]), unseen=mean_over_classes(results.ap[unseen]))
    return means


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
