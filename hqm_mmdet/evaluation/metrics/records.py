"""What a metric keeps of an image between ``process`` and ``compute_metrics``."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmengine.structures import BaseDataElement

from ..functional import TripletNMS, TripletTable, ground_truth_table, prediction_table
from .vocabulary import EvalVocabulary

PAIR_FIELDS = ("sub_bboxes", "obj_bboxes", "obj_labels", "verb_scores")


@dataclass(frozen=True, eq=False)
class ImageRecord:
    """Candidates and ground truth of one image; about 6 KB with 100 candidates.

    Args:
        img_id (Hashable): Id of the image in the data set.
        img_path (str): Names the image in messages.
        num_boxes (int): Annotated boxes, with or without HOI.
        preds (TripletTable): Candidates, in descending score order.
        gts (TripletTable): Annotated triplets.
    """

    img_id: Hashable
    img_path: str
    num_boxes: int
    preds: TripletTable
    gts: TripletTable

    def equals(self, other: "ImageRecord") -> bool:
        """Whether both hold the same image with the same predictions."""
        return (
            (self.img_id, self.img_path, self.num_boxes) == (other.img_id, other.img_path, other.num_boxes)
            and self.preds.equals(other.preds)
            and self.gts.equals(other.gts)
        )


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
            ``hois`` (M, 3) = subject index, object index (-1 = none), verb.
        vocabulary (EvalVocabulary): Class tables.
        top_k (int, optional): Candidates kept per image; None keeps all. Defaults to 100.
        pair_nms (TripletNMS, optional): Drops repeated candidates; None keeps them.

    Returns:
        ImageRecord: The record.

    Raises:
        ValueError: A field is missing, or an array is unfit (the message names the image).
    """
    sample = sample.to_dict() if isinstance(sample, BaseDataElement) else sample
    image = sample.get("img_path", sample.get("img_id", "?"))
    img_id, img_path = (_field(sample, key, image) for key in ("img_id", "img_path"))
    pairs, truth = _field(sample, "pred_pairs", image), _field(sample, "gt_hois", image)
    preds = prediction_table(
        *(to_numpy(_field(pairs, key, image)) for key in PAIR_FIELDS),
        coder=vocabulary.coder,
        verb_mask=vocabulary.verb_mask,
        top_k=top_k,
        sub_labels=vocabulary.subject_label,
        image=image,
    )
    if pair_nms is not None:
        preds = pair_nms(preds)
    boxes, labels, hois = (to_numpy(_field(truth, key, image)) for key in ("boxes", "labels", "hois"))
    gts = ground_truth_table(boxes, labels, hois, vocabulary.coder, image)
    return ImageRecord(img_id, img_path, len(boxes), preds, gts)


def drop_repeated(records: Sequence[ImageRecord]) -> list[ImageRecord]:
    """Keep the first record of every image id, in order; samplers repeat images to fill the last batch.

    Raises:
        ValueError: Two different results claim the same id.
    """
    first: dict[Hashable, ImageRecord] = {}
    for record in records:
        known = first.setdefault(record.img_id, record)
        if known is not record and not known.equals(record):
            raise ValueError(
                f"two different results for the image id {record.img_id!r} ({known.img_path!r} and "
                f"{record.img_path!r}): image ids must be unique in the data set, and each image is to be "
                "evaluated once."
            )
    return list(first.values())


def to_numpy(value: Any) -> np.ndarray:
    """Tensor on any device, or anything array-like, to an array; half precision becomes float32."""
    if isinstance(value, torch.Tensor):
        value = value.detach()
        value = value.float() if value.is_floating_point() and value.element_size() < 4 else value
        return value.cpu().numpy()
    return np.asarray(value)


def _field(source: Mapping, key: str, image: object) -> Any:
    if isinstance(source, BaseDataElement):
        source = source.to_dict()
    if key not in source:
        raise ValueError(
            f"image {image!r}: no {key!r} among {sorted(source)}; predictions come from the model's predict "
            "step, 'img_id', 'img_path' and 'gt_hois' from the test pipeline's packing transform (meta_keys)."
        )
    return source[key]
