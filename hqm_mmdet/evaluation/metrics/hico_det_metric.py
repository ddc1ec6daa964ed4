"""HICO-DET mean average precision as an mmengine metric."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hqm_mmdet.registry import METRICS

from ..functional import (
    EvalProtocol,
    JudgedCandidates,
    RankedCandidates,
    TripletNMS,
    get_protocol,
    judge_triplets,
    mean_results,
    rank_triplets,
    stack_images,
)
from .base import HOIMetric, text_table
from .records import ImageRecord, make_record
from .vocabulary import EvalVocabulary


@METRICS.register_module()
class HICODetMetric(HOIMetric):
    """Mean AP over triplet classes, the way HICO-DET is reported.

    Keys (fractions; NaN where a set has no class with ground truth): ``hico/full``, ``hico/rare``,
    ``hico/non_rare``, ``hico/max_recall`` (mean over classes of the recall of all candidates), and in the
    known-object setting ``hico/ko_full``, ``hico/ko_rare``, ``hico/ko_non_rare``. The setting and the protocol
    are described in :mod:`hqm_mmdet.evaluation.functional` and ``docs/evaluation.md``. The data set's metainfo must
    hold ``classes``, ``verbs``, ``valid_pairs`` (V, C) and ``rare_triplets``, (object label, verb) each; with
    ``unseen``, (object label, verb) each, a zero-shot split, there are ``hico/seen``, ``hico/unseen``, ``hico/ko_seen``
    and ``hico/ko_unseen`` too.

    An image without predicted pairs counts with its ground truth (official evaluators crash), repeated
    image ids count once, and non-finite scores are errors (official evaluators sort them last).

    Args:
        protocol (str | EvalProtocol): 'qpic' (what DETR-based papers report), 'ppdm', 'matlab' or
            'pocket'. Default: 'qpic'.
        known_object (bool): whether to report the known-object setting too. Default: True.
        pair_nms (dict, optional): arguments of :class:`~.functional.TripletNMS` (``dict()`` is CDN's setting), which
            drops repeated triplets after the cut to 100. Default: None, nothing is dropped.
        **kwargs: ``bootstrap`` of :class:`~.base.HOIMetric` and its further arguments.
    """

    default_prefix = "hico"
    FRACTIONS = True

    def __init__(
        self,
        protocol: str | EvalProtocol = "qpic",
        known_object: bool = True,
        pair_nms: dict[str, float] | None = None,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.protocol = get_protocol(protocol)
        self.known_object = known_object
        self.pair_nms = None if pair_nms is None else TripletNMS(**pair_nms)

    def make_record(self, sample: Mapping) -> ImageRecord:
        """Keep the best candidates and the ground truth; see :func:`~.records.make_record`."""
        return make_record(sample, self.vocabulary, self.protocol.top_k, self.pair_nms)

    def rank(self, records: list[ImageRecord]) -> "HICORanking":
        """Match and rank all candidates in the default and the known-object setting."""
        judged = judge_triplets(
            stack_images([r.preds for r in records], scored=True),
            stack_images([r.gts for r in records], scored=False),
            np.array([r.num_boxes for r in records], dtype=np.int64),
            self.vocabulary.coder,
            self.protocol,
        )
        settings = rank_triplets(judged, self.known_object)
        name = self.protocol.name + ("" if self.pair_nms is None else ", pair NMS")
        vocabulary = self.vocabulary
        if not self.protocol.compares_subject_labels:
            # Classes were ranked with the subject label 0, so rare and unseen ones need it, too.
            vocabulary = vocabulary.without_subject_label()
        return HICORanking(len(records), judged, settings, vocabulary, name)


@dataclass(frozen=True, eq=False)
class HICORanking:
    """Ranked candidates of both settings, see :class:`~.base.Ranking`."""

    headline: ClassVar[str] = "full"
    num_images: int
    candidates: JudgedCandidates
    settings: dict[str, RankedCandidates]
    vocabulary: EvalVocabulary
    name: str

    def judged(self) -> JudgedCandidates:
        """Candidates of the default setting."""
        return self.candidates

    def other_aps(self) -> dict[str, np.ndarray]:
        """``known object``, if that setting was asked for."""
        known, thresholds = self.settings.get("known_object"), self.candidates.protocol.recall_thresholds
        return {} if known is None else {"known object": known.results(thresholds).ap}

    def class_sets(self) -> dict[str, np.ndarray]:
        """``rare``, and ``unseen`` with a zero-shot split."""
        sets = dict(rare=self.vocabulary.rare_classes, unseen=self.vocabulary.unseen_classes)
        return {name: np.isin(self.candidates.classes, each) for name, each in sets.items() if each is not None}

    def means(self, image_weights: np.ndarray | None = None) -> dict[str, float]:
        """Metrics of both settings."""
        rows = self._rows(image_weights)
        metrics = dict(rows["default"])
        for key, value in rows.get("known_object", {}).items():
            if key != "max_recall":
                metrics[f"ko_{key}"] = value
        return metrics

    def table(self) -> str:
        """Settings as rows."""
        rows = self._rows(None)
        columns = list(rows["default"])
        num_classes = len(self.settings["default"].classes)
        title = f"mAP, protocol {self.name}, {self.num_images} images, {num_classes} classes with ground truth"
        return text_table(title, columns, {name: [row[c] for c in columns] for name, row in rows.items()})

    def _rows(self, image_weights: np.ndarray | None) -> dict[str, dict[str, float]]:
        thresholds, vocabulary = self.candidates.protocol.recall_thresholds, self.vocabulary
        return {
            name: mean_results(
                ranked.results(thresholds, image_weights), vocabulary.rare_classes, vocabulary.unseen_classes
            )
            for name, ranked in self.settings.items()
        }
