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
