"""HICO-DET mean average precision as an mmengine metric."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from hqm_mmdet.registry import METRICS

from ..functional import (
    EvalProtocol,
    TripletNMS,
    evaluate_triplets,
    get_protocol,
    mean_results,
    stack_images,
)
from .records import ImageRecord, drop_repeated, make_record
from .vocabulary import EvalVocabulary


@METRICS.register_module()
class HICODetMetric(BaseMetric):
    """Mean AP over triplet classes, the way HICO-DET is reported.

    Keys (fractions; NaN where a set has no class with ground truth): ``hico/full``, ``hico/rare``,
    ``hico/non_rare``, ``hico/max_recall`` (mean over classes of the recall of all candidates), and in the
    known-object setting ``hico/ko_full``, ``hico/ko_rare``, ``hico/ko_non_rare``. The setting and the protocol
    are described in :mod:`hqm_mmdet.evaluation.functional`. The data set's metainfo must hold ``classes``,
    ``verbs``, ``valid_pairs`` (V, C) and ``rare_triplets``, (object label, verb) each.

    An image without predicted pairs counts with its ground truth (official evaluators crash), repeated
    image ids count once, and non-finite scores are errors (official evaluators sort them last).

    Args:
        protocol (str | EvalProtocol): 'qpic' (what DETR-based papers report), 'ppdm', 'matlab' or
            'pocket'. Defaults to 'qpic'.
        known_object (bool): Whether to report the known-object setting too. Defaults to True.
        pair_nms (dict, optional): Arguments of :class:`~.functional.TripletNMS` (``dict()`` is CDN's setting), which
            drops repeated triplets after the cut to 100. Defaults to None, nothing is dropped.
        **kwargs: ``collect_device``, ``prefix`` and ``collect_dir`` of mmengine's ``BaseMetric``.
    """

    default_prefix = "hico"

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

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the best candidates and the ground truth of a batch.

        Args:
            data_batch (Any): Not used.
            data_samples (Sequence[dict]): See :func:`~.records.make_record`.
        """
        vocabulary = EvalVocabulary.from_metainfo(self.dataset_meta)
        self.results.extend(make_record(s, vocabulary, self.protocol.top_k, self.pair_nms) for s in data_samples)

    def compute_metrics(self, results: list[ImageRecord]) -> dict[str, float]:
        """Evaluate the whole set and log a table.

        Args:
            results (list[ImageRecord]): Records of all ranks.

        Returns:
            dict[str, float]: The keys above, without prefix.
        """
        vocabulary = EvalVocabulary.from_metainfo(self.dataset_meta)
        records = drop_repeated(results)
        settings = evaluate_triplets(
            stack_images([r.preds for r in records], scored=True),
            stack_images([r.gts for r in records], scored=False),
            np.array([r.num_boxes for r in records], dtype=np.int64),
            vocabulary.coder,
            self.protocol,
            self.known_object,
        )
        means = {name: mean_results(r, vocabulary.rare_classes) for name, r in settings.items()}
        num_classes = len(settings["default"].classes)
        print_log(self._table(means, len(records), num_classes), logger="current")
        metrics = dict(means["default"])
        for key in ("full", "rare", "non_rare") if self.known_object else ():
            metrics[f"ko_{key}"] = means["known_object"][key]
        return metrics

    def _table(self, means: dict[str, dict[str, float]], num_images: int, num_classes: int) -> str:
        columns = ("full", "rare", "non_rare", "max_recall")
        protocol = self.protocol.name + ("" if self.pair_nms is None else ", pair NMS")
        lines = [
            f"mAP, protocol {protocol}, {num_images} images, {num_classes} classes with ground truth",
            f"{'setting':<14}" + "".join(f"{c:>12}" for c in columns),
        ]
        for name, row in means.items():
            lines.append(f"{name:<14}" + "".join(f"{row[c]:>12.4f}" for c in columns))
        return "\n" + "\n".join(lines)
