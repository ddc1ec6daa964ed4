"""What a metric keeps of an image between ``process`` and ``compute_metrics``."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from mmengine.structures import BaseDataElement

from ..errors import EvaluationError
from ..functional import TripletNMS, TripletTable, ground_truth_table, prediction_table
from .vocabulary import EvalVocabulary

PAIR_FIELDS = ("sub_bboxes", "obj_bboxes", "obj_labels", "verb_scores")
TRUTH_FIELDS = ("boxes", "labels", "hois")


@dataclass(frozen=True, eq=False)
class Record:
    """One image.

    Args:
        img_id (Hashable): id of the image in the data set.
        img_path (str): names the image in messages.
    """

    img_id: Hashable
    img_path: str

    def equals(self, other: "Record") -> bool:
        """Whether both hold the same image with the same predictions."""
        return _equal(self, other)


@dataclass(frozen=True, eq=False)
class ImageRecord(Record):
    """Candidates and ground truth of one image as triplets; about 6 KB with 100 candidates.

    Args:
        num_boxes (int): annotated boxes, with or without HOI.
        preds (TripletTable): candidates, in descending score order.
        gts (TripletTable): annotated triplets.
    """

    num_boxes: int
    preds: TripletTable
    gts: TripletTable


def make_record(
    sample: Mapping | BaseDataElement,
    vocabulary: EvalVocabulary,
    top_k: int | None = 100,
    pair_nms: TripletNMS | None = None,
) -> ImageRecord:
    """Reduce a predicted sample to its record.

    Args:
        sample (Mapping | BaseDataElement): ``HOIDataSample`` or its ``to_dict()``, with ``pred_pairs``
            (boxes x1, y1, x2, y2 in pixels of the original image) and the metainfo ``img_id``, ``img_path``
            and ``gt_hois``: dict of ``boxes`` (N, 4) in coordinates of the annotation file, ``labels`` (N,),
            ``hois`` (M, 3) = subject index, object index (-1 = none), verb. ``partial_scores=True`` reads NaN scores
            as "not predicted" (files of other code bases). ``pred_pairs`` may have ``sub_labels``.
        vocabulary (EvalVocabulary): class tables.
        top_k (int, optional): candidates kept per image; None keeps all. Default: 100.
        pair_nms (TripletNMS, optional): drops repeated candidates; None keeps them.

    Returns:
        ImageRecord: the record.

    Raises:
        EvaluationError: A field is missing, or an array is unfit (the message names the image).
    """
    sample = as_dict(sample)
    img_id, img_path = image_name(sample)
    pairs = as_dict(get_field(sample, "pred_pairs", img_path))
    preds = prediction_table(
        *(to_numpy(get_field(pairs, key, img_path)) for key in PAIR_FIELDS),
        coder=vocabulary.coder,
        verb_mask=vocabulary.verb_mask,
        top_k=top_k,
        sub_labels=to_numpy(pairs.get("sub_labels", vocabulary.subject_label)),
        image=img_path,
        partial=sample.get("partial_scores", False),
    )
    # After the cut, and nothing takes the free places: CDN's order.
    if pair_nms is not None:
        preds = pair_nms(preds)
    boxes, labels, hois = annotated_hois(sample, img_path)
    gts = ground_truth_table(boxes, labels, hois, vocabulary.coder, img_path)
    return ImageRecord(img_id, img_path, len(boxes), preds, gts)


def drop_repeated(records: Sequence[Record]) -> list[Record]:
    """Keep the first record of every image id, in order; samplers repeat images to fill the last batch.

    Raises:
        EvaluationError: two different results claim the same id.
    """
    first: dict[Hashable, Record] = {}
    for record in records:
        known = first.setdefault(record.img_id, record)
        if known is not record and not known.equals(record):
            raise EvaluationError(
                f"two different results for the image id {record.img_id!r} ({known.img_path!r} and "
                f"{record.img_path!r}): image ids must be unique in the data set, and each image is to be "
                "evaluated once."
            )
    return list(first.values())


def to_numpy(value: Any) -> np.ndarray:
    """Tensor on any device, or anything array-like, to an array; half precision becomes float32."""
    if isinstance(value, torch.Tensor):
        value = value.detach()
        # NumPy knows no bfloat16.
        value = value.float() if value.is_floating_point() and value.element_size() < 4 else value
        return value.cpu().numpy()
    return np.asarray(value)


def as_dict(value: Mapping | BaseDataElement) -> Mapping:
    """A structure of mmengine as a plain dict."""
    return value.to_dict() if isinstance(value, BaseDataElement) else value


def image_name(sample: Mapping) -> tuple[Hashable, str]:
    """``img_id`` and ``img_path`` of a sample.

    Raises:
        EvaluationError: one is missing.
    """
    image = sample.get("img_path", sample.get("img_id", "?"))
    return get_field(sample, "img_id", image), get_field(sample, "img_path", image)


def annotated_hois(sample: Mapping, image: object) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``boxes``, ``labels`` and ``hois`` of ``gt_hois``, see :func:`make_record`."""
    truth = get_field(sample, "gt_hois", image)
    boxes, labels, hois = (to_numpy(get_field(truth, key, image)) for key in TRUTH_FIELDS)
    return boxes, labels, hois


def get_field(source: Mapping, key: str, image: object) -> Any:
    """``source[key]``.

    Raises:
        EvaluationError: there is no such key; the message names the image.
    """
    if key not in source:
        raise EvaluationError(
            f"image {image!r}: no {key!r} among {sorted(source)}; predictions come from the model's predict "
            "step, 'img_id', 'img_path' and 'gt_hois' from the test pipeline's packing transform (meta_keys)."
        )
    return source[key]


def _equal(a: Any, b: Any) -> bool:
    """Element by element, through dataclasses; NaN equals NaN."""
    if isinstance(a, np.ndarray):
        # equal_nan fails for strings and objects.
        return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if hasattr(a, "__dataclass_fields__"):
        return type(a) is type(b) and all(_equal(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    return bool(a == b)
