"""Pairs that a two-stage head learns from."""

import torch
from mmengine.structures import InstanceData

from hqm_mmdet.registry import TASK_UTILS
from hqm_mmdet.structures import new_pairs, pair_iou


@TASK_UTILS.register_module()
class JitteredPairs:
    """Labelled pairs in jittered versions, and mined pairs that match none of them.

    Source: TIN and iCAN, released code. An image with more than ``max_pairs`` labelled pairs teaches a random part of
    them per visit, where the code makes several samples of it.

    Args:
        jitter (dict, optional): config of :class:`~hqm_mmdet.models.interactiveness.PairJitter`. Default: 15 copies.
        max_pairs (int): labelled pairs of an image that are used at once. Default: 5.
        num_negatives (int): mined pairs of an image, at most. Default: 60.
        negative_iou (float): a candidate is negative if its pair IoU (the smaller of both boxes') with every labelled
            pair is below. Default: 0.5.
    """

    def __init__(
        self,
        jitter: dict | None = None,
        max_pairs: int = 5,
        num_negatives: int = 60,
        negative_iou: float = 0.5,
    ):
        self.jitter = TASK_UTILS.build({"type": "PairJitter", **(jitter or {})})
        self.max_pairs, self.num_negatives, self.negative_iou = max_pairs, num_negatives, negative_iou

    def __call__(self, truth: InstanceData, candidates: InstanceData, size: tuple[int, int]) -> InstanceData:
        """Training pairs of an image, the interactive ones first.

        Args:
            truth (InstanceData): ``gt_pairs`` of the image, with ``keypoints`` where there are any. Of pairs without
                object there is nothing to crop: their verbs go to the pairs of the same person that have one.
            candidates (InstanceData): pairs of a sampler, all in the frame of ``truth``, with ``keypoints`` if it has.
            size (tuple[int, int]): height and width of the image, pixels.

        Returns:
            InstanceData: ``sub_bboxes``, ``obj_bboxes``, ``obj_labels``, ``verb_labels`` (N, V; zero for negatives),
            ``interactive`` (N,) bool.
        """
        truth = self._with_objects(truth)
        negatives = self.negatives(truth, candidates)
        if len(truth) > self.max_pairs:
            truth = truth[torch.randperm(len(truth), device=truth.obj_labels.device)[: self.max_pairs]]
        return self._joined(self.positives(truth, size), negatives, truth.verb_labels.shape[1])

    @staticmethod
    def _with_objects(truth: InstanceData) -> InstanceData:
        """Pairs with an object; they take over the verbs that their person does without one."""
        present = (truth.obj_bboxes[:, 2:] > truth.obj_bboxes[:, :2]).all(1)
        with_object, alone = truth[present], truth[~present]
        same = (with_object.sub_bboxes[:, None] == alone.sub_bboxes).all(2)  # (P, A)
        shared = same.to(alone.verb_labels.dtype) @ alone.verb_labels
        with_object.verb_labels = torch.maximum(with_object.verb_labels, shared)
        return with_object

    def positives(self, truth: InstanceData, size: tuple[int, int]) -> InstanceData:
        """Every labelled pair and its jittered copies."""
        subs, objs, source = self.jitter(truth.sub_bboxes, truth.obj_bboxes, size)
        pairs = truth[source]
        pairs.sub_bboxes, pairs.obj_bboxes = subs, objs
        return pairs

    def negatives(self, truth: InstanceData, candidates: InstanceData) -> InstanceData:
        """A random selection of the candidates that match no labelled pair."""
        overlap = pair_iou(candidates.sub_bboxes, candidates.obj_bboxes, truth.sub_bboxes, truth.obj_bboxes)
        rows = (overlap < self.negative_iou).all(1).nonzero()[:, 0]
        return candidates[rows[torch.randperm(len(rows), device=rows.device)[: self.num_negatives]]]

    @staticmethod
    def _joined(positives: InstanceData, negatives: InstanceData, num_verbs: int) -> InstanceData:
        nothing = positives.verb_labels.new_zeros(len(negatives), num_verbs)
        interactive = torch.arange(len(positives) + len(negatives), device=nothing.device) < len(positives)
        joined = new_pairs(
            *(torch.cat([positives[name], negatives[name]]) for name in ("sub_bboxes", "obj_bboxes", "obj_labels")),
            verb_labels=torch.cat([positives.verb_labels, nothing]),
            interactive=interactive,
        )
        if "keypoints" in positives:
            joined.keypoints = torch.cat([positives.keypoints, negatives.keypoints])
        return joined
