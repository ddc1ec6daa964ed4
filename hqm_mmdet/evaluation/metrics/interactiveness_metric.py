"""Interactiveness AP of predicted pairs, and what a suppression got right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hqm_mmdet.registry import METRICS

from ..functional import interactive_pairs, interactiveness_ap
from .base import HOIMetric, text_table
from .records import Record, as_dict, get_field, image_name, to_numpy


@dataclass(frozen=True, eq=False)
class InteractivenessRecord(Record):
    """Pairs of one image.

    Args:
        scores (ndarray): (P, 2) probabilities of interacting and of not doing so.
        interactive (ndarray): (P,) bool, whether a labelled pair matches.
        suppressed (ndarray): (P,) bool; all False where nothing suppresses.
    """

    scores: np.ndarray
    interactive: np.ndarray
    suppressed: np.ndarray


@dataclass(frozen=True, eq=False)
class RankedInteractiveness:
    """All pairs of a data set, see :class:`~.base.Ranking`."""

    records: Sequence[InteractivenessRecord]
    headline = "mAP"
    name = "interactiveness"

    @property
    def num_images(self) -> int:
        """Images, with or without pairs."""
        return len(self.records)

    def means(self, image_weights: np.ndarray | None = None) -> dict[str, float]:
        """APs and counts; an image of weight n counts as n images."""
        weights = np.ones(len(self.records), int) if image_weights is None else image_weights
        records = [record for record, weight in zip(self.records, weights, strict=True) for _ in range(weight)]
        scores = np.concatenate([np.zeros((0, 2)), *(record.scores for record in records)])
        interactive = np.concatenate([np.zeros(0, bool), *(record.interactive for record in records)])
        suppressed = np.concatenate([np.zeros(0, bool), *(record.suppressed for record in records)])
        ap = interactiveness_ap(scores, interactive)
        return dict(
            mAP=ap.mean,
            AP_interactive=ap.interactive,
            AP_non_interactive=ap.non_interactive,
            pairs=float(len(scores)),
            interactive_pairs=float(interactive.sum()),
            suppressed_right=float((suppressed & ~interactive).sum()),
            suppressed_wrong=float((suppressed & interactive).sum()),
        )

    def table(self) -> str:
        """For the log."""
        return text_table("interactiveness", ("value",), {key: (value,) for key, value in self.means().items()})


@METRICS.register_module()
class InteractivenessMetric(HOIMetric):
    """TIN's binary mAP, beside any data set's own metric; see :func:`~..functional.interactiveness_ap`.

    Labelled pairs are those of any verb and object class; annotated pairs without object do not count. Keys:
    ``interactiveness/mAP``, its two APs, and counts: ``suppressed_right`` are suppressed pairs that no labelled pair
    matches, ``suppressed_wrong`` those that one does.

    Args:
        min_iou (float): what both boxes must exceed. Default: 0.5.
        **kwargs: as in :class:`HOIMetric`.
    """

    NEEDS_RARE_SET = False
    default_prefix = "interactiveness"

    def __init__(self, min_iou: float = 0.5, **kwargs):
        super().__init__(**kwargs)
        self.min_iou = min_iou

    def make_record(self, sample: Mapping) -> InteractivenessRecord:
        """Reduce a sample with ``pred_pairs`` (``interactiveness`` (P, 2), and ``suppressed`` where there is one).

        Raises:
            KeyError: the model predicted no interactiveness.
        """
        img_id, img_path = image_name(sample)
        pairs = as_dict(get_field(sample, "pred_pairs", img_path))
        truth = as_dict(get_field(sample, "gt_hois", img_path))
        scores = to_numpy(get_field(pairs, "interactiveness", img_path)).astype(np.float64).reshape(-1, 2)
        boxes, hois = to_numpy(truth["boxes"]).reshape(-1, 4), to_numpy(truth["hois"]).reshape(-1, 3)
        hois = hois[hois[:, 1] >= 0]
        sub, obj = (to_numpy(pairs[name]) for name in ("sub_bboxes", "obj_bboxes"))
        # A pair without object was not judged, nor one that a file gives no scores (NaN).
        judged = (obj[:, 2:] > obj[:, :2]).all(1) & np.isfinite(scores).all(1)
        sub, obj, scores = sub[judged], obj[judged], scores[judged]
        interactive = interactive_pairs(sub, obj, boxes[hois[:, 0]], boxes[hois[:, 1]], self.min_iou)
        suppressed = to_numpy(pairs["suppressed"])[judged] if "suppressed" in pairs else np.zeros(len(scores), bool)
        return InteractivenessRecord(img_id, img_path, scores, interactive, suppressed)

    def rank(self, records: list[InteractivenessRecord]) -> RankedInteractiveness:
        """Pairs of the whole set."""
        return RankedInteractiveness(records)
