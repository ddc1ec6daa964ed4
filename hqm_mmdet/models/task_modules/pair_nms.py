"""Suppression of repeated pairs in post-processing."""

import numpy as np
import torch
from mmengine.structures import InstanceData
from torch import Tensor

from hqm_mmdet.registry import TASK_UTILS
from hqm_mmdet.structures import pair_nms


@TASK_UTILS.register_module()
class PairNMS:
    """Drops pairs that repeat a better one with the same object label, see :func:`~hqm_mmdet.structures.pair_nms`.

    A pair's rank is its best verb score; a dropped pair loses all verbs. Any head takes it: ``bbox_head=dict(pair_nms=
    dict(type="PairNMS"))``. Source: CDN's ``generate_vcoco_official.py``. On HICO-DET, CDN suppresses single triplets
    after the cut to 100 instead: ``HICODetMetric(pair_nms=dict(...))``.

    Args:
        threshold (float): overlap that is still kept. Default 0.7.
        alpha, beta (float): exponents of the subjects' and the objects' IoU. Default 1.0 and 0.5.
    """

    def __init__(self, threshold: float = 0.7, alpha: float = 1.0, beta: float = 0.5):
        self.options = dict(threshold=threshold, alpha=alpha, beta=beta)

    def __call__(self, images: list[InstanceData]) -> list[InstanceData]:
        """Kept pairs of each image, in their former order.

        Args:
            images (list[InstanceData]): ``pred_pairs`` with ``sub_bboxes``, ``obj_bboxes`` (Q, 4) in pixels,
                ``obj_labels`` (Q,), ``verb_scores`` (Q, V). Moved to the host once for all images.
        """
        table = torch.cat([self._columns(pairs) for pairs in images]).detach().cpu().numpy()
        ends = np.cumsum([len(pairs) for pairs in images])
        return [
            pairs[torch.from_numpy(self._kept(rows)).to(pairs.obj_labels.device)]
            for pairs, rows in zip(images, np.split(table, ends[:-1]), strict=True)
        ]

    def _kept(self, rows: np.ndarray) -> np.ndarray:
        """(Q, 10) columns -> (K,) ascending indices."""
        return np.sort(pair_nms(rows[:, :4], rows[:, 4:8], rows[:, 8], rows[:, 9], **self.options))

    @staticmethod
    def _columns(pairs: InstanceData) -> Tensor:
        """(Q, 10) float32: both boxes, object label, best verb score."""
        ranks = pairs.verb_scores.amax(1)
        columns = (pairs.sub_bboxes, pairs.obj_bboxes, pairs.obj_labels[:, None], ranks[:, None])
        return torch.cat([column.float() for column in columns], 1)


@TASK_UTILS.register_module()
class HOIPairNMS:
    """Takes the score of HOI classes from pairs that repeat a better one of the same class.

    For heads that score HOI classes: ``bbox_head=dict(pair_nms=dict(type="HOIPairNMS"))``. As in GEN-VLKT's and
    HOICLIP's evaluators, the best ``top_k`` (pair, HOI) scores of an image are looked at, class by class; what is
    suppressed, and what is not among them, gets the score 0. No pair vanishes.
    ``HICODetMetric(pair_nms=dict(...))`` does the same to its candidates; one of the two is enough.

    Args:
        threshold (float): overlap that is still kept. Default 0.7.
        alpha, beta (float): exponents of the subjects' and the objects' IoU. Default 1 and 0.5.
        top_k (int): how many scores of an image are kept at most. Default 100.
    """

    def __init__(self, threshold: float = 0.7, alpha: float = 1.0, beta: float = 0.5, top_k: int = 100):
        self.options = dict(threshold=threshold, alpha=alpha, beta=beta)
        self.top_k = top_k

    def __call__(self, images: list[InstanceData]) -> list[InstanceData]:
        """The same pairs, with the scores that remain.

        Args:
            images (list[InstanceData]): ``pred_pairs`` with ``sub_bboxes``, ``obj_bboxes`` (Q, 4) in pixels and
                ``hoi_scores`` (Q, H).
        """
        return [self._suppressed(pairs) for pairs in images]

    def _suppressed(self, pairs: InstanceData) -> InstanceData:
        scores = pairs.hoi_scores
        best = scores.flatten().topk(min(self.top_k, scores.numel()))
        pair, hoi = best.indices // max(scores.shape[1], 1), best.indices % max(scores.shape[1], 1)
        columns = (pairs.sub_bboxes[pair], pairs.obj_bboxes[pair], hoi, best.values)
        kept = pair_nms(*(column.detach().float().cpu().numpy() for column in columns), **self.options)
        kept = torch.from_numpy(kept.copy()).to(scores.device)
        remaining = torch.zeros_like(scores)
        remaining[pair[kept], hoi[kept]] = best.values[kept]
        suppressed = pairs[:]
        suppressed.hoi_scores = remaining
        return suppressed
