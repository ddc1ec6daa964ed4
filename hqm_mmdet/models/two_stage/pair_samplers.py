"""Which two instances make a candidate pair."""

import numpy as np
import torch
from mmengine.structures import InstanceData
from torch import Tensor

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.registry import TASK_UTILS
from hqm_mmdet.structures import new_pairs, pair_nms


@TASK_UTILS.register_module()
class ThresholdPairs:
    """Every person with every other instance, both found with some certainty.

    Persons are instances with the subject's label; they are objects too. Two instances with identical boxes make no
    pair. Source: TIN's released test code; its fallback repeats the list's last entry where fewer than four are there,
    which is left out.

    Args:
        subject_label (int): label of persons. Default: 0.
        sub_score_thr, obj_score_thr (float): least scores, exceeded. Default: 0.8, 0.3 (HICO-DET; V-COCO: 0.6, 0.4).
        min_subjects, min_objects (int): so many of the best are taken whatever their score. Default: 0.
        max_subjects, max_objects (int, optional): at most so many, the best. Default: no limit.
        fallback (int): where no pair results, the so many best persons and objects are paired. Default: 4; 0 is none.
        nms_iou (float, optional): instances that overlap a better one of their class by more vanish first. Default
            None: no suppression, detectors have their own.

    Raises:
        ConfigError: a minimum exceeds its maximum.
    """

    def __init__(
        self,
        subject_label: int = 0,
        sub_score_thr: float = 0.8,
        obj_score_thr: float = 0.3,
        min_subjects: int = 0,
        min_objects: int = 0,
        max_subjects: int | None = None,
        max_objects: int | None = None,
        fallback: int = 4,
        nms_iou: float | None = None,
    ):
        for least, most in ((min_subjects, max_subjects), (min_objects, max_objects)):
            if most is not None and least > most:
                raise ConfigError(f"ThresholdPairs: a minimum of {least} instances exceeds the maximum of {most}.")
        self.subject_label, self.fallback, self.nms_iou = subject_label, fallback, nms_iou
        self.subjects = (sub_score_thr, min_subjects, max_subjects)
        self.objects = (obj_score_thr, min_objects, max_objects)

    def __call__(self, instances: InstanceData) -> InstanceData:
        """Candidate pairs of an image.

        Args:
            instances (InstanceData): ``bboxes`` (N, 4) x1, y1, x2, y2 in any frame, ``labels`` (N,), ``scores`` (N,).

        Returns:
            InstanceData: a ``pred_pairs`` of length P without verbs, with ``sub_scores`` (P,) and ``sub_ids``,
            ``obj_ids`` (P,) long, rows of ``instances``.
        """
        kept = self._kept(instances)
        subjects = kept[instances.labels[kept] == self.subject_label]
        sub_ids, obj_ids = self._pairs(
            instances, self._best(instances, subjects, *self.subjects), self._best(instances, kept, *self.objects)
        )
        if not len(sub_ids) and self.fallback:
            limits = (float("inf"), self.fallback, self.fallback)
            best = (self._best(instances, ids, *limits) for ids in (subjects, kept))
            sub_ids, obj_ids = self._pairs(instances, *best)
        return pairs_of(instances, sub_ids, obj_ids)

    def _kept(self, instances: InstanceData) -> Tensor:
        """Rows that suppression leaves, best first."""
        order = instances.scores.argsort(descending=True, stable=True)
        if self.nms_iou is None or not len(order):
            return order
        boxes, labels, scores = (instances[name].cpu().numpy() for name in ("bboxes", "labels", "scores"))
        kept = pair_nms(boxes, boxes, labels, scores, self.nms_iou, alpha=1.0, beta=0.0)
        return torch.from_numpy(np.ascontiguousarray(kept)).to(order)

    @staticmethod
    def _best(instances: InstanceData, ids: Tensor, threshold: float, least: int, most: int | None) -> Tensor:
        """Of rows in descending score order those to take."""
        count = max(int((instances.scores[ids] > threshold).sum()), least)
        return ids[: count if most is None else min(count, most)]

    @staticmethod
    def _pairs(instances: InstanceData, subjects: Tensor, objects: Tensor) -> tuple[Tensor, Tensor]:
        sub_ids, obj_ids = subjects.repeat_interleave(len(objects)), objects.repeat(len(subjects))
        differ = (instances.bboxes[sub_ids] != instances.bboxes[obj_ids]).any(1) & (sub_ids != obj_ids)
        return sub_ids[differ], obj_ids[differ]


def pairs_of(instances: InstanceData, sub_ids: Tensor, obj_ids: Tensor) -> InstanceData:
    """Pairs of instances, see :meth:`ThresholdPairs.__call__`."""
    return new_pairs(
        instances.bboxes[sub_ids],
        instances.bboxes[obj_ids],
        instances.labels[obj_ids],
        sub_scores=instances.scores[sub_ids],
        obj_scores=instances.scores[obj_ids],
        sub_ids=sub_ids,
        obj_ids=obj_ids,
    )
