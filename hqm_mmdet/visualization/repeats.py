"""Several queries for one pair become one pair, for whoever looks at predictions."""

import numpy as np
import torch
from mmengine.structures import InstanceData

from hqm_mmdet.structures import pair_iou


def merge_repeats(pairs: InstanceData, min_iou: float, absent_label: int) -> InstanceData:
    """Pairs of the same object class that overlap become one: boxes of the best, of each verb the best score.

    :func:`~hqm_mmdet.structures.pair_nms` drops all verbs of a repeat; this keeps them, since queries often share out a
    pair's verbs. It is meant for looking at predictions; evaluation protocols have suppressions of their own.

    Args:
        pairs (InstanceData): ``pred_pairs`` of one image.
        min_iou (float): the subjects' and the objects' IoU must both reach it.
        absent_label (int): label of an absent object; there the subjects' IoU decides.

    Returns:
        InstanceData: at most as many pairs, by descending best verb score.
    """
    # The best query leads its group, and its boxes are kept.
    order = pairs.verb_scores.amax(1).argsort(descending=True, stable=True) if len(pairs) else []
    pairs = pairs[torch.as_tensor(order, dtype=torch.long, device=pairs.obj_labels.device)]
    if len(pairs) < 2:
        return pairs
    groups = _groups(_same(pairs, min_iou, absent_label))
    merged = pairs[torch.tensor([group[0] for group in groups], device=pairs.obj_labels.device)]
    merged.verb_scores = torch.stack([pairs.verb_scores[group].amax(0) for group in groups])
    return merged


def overlaps(a: InstanceData, b: InstanceData, absent_label: int) -> np.ndarray:
    """(len(a), len(b)) smaller IoU of both boxes; of the subjects where neither has an object; -1 for other classes."""
    iou = pair_iou(a.sub_bboxes, a.obj_bboxes, b.sub_bboxes, b.obj_bboxes)
    subjects = pair_iou(a.sub_bboxes, a.sub_bboxes, b.sub_bboxes, b.sub_bboxes)
    # The zero boxes of absent objects have no overlap, not even with each other.
    iou = torch.where((a.obj_labels >= absent_label)[:, None], subjects, iou)
    return iou.masked_fill(a.obj_labels[:, None] != b.obj_labels, -1).detach().cpu().numpy()


def _same(pairs: InstanceData, min_iou: float, absent_label: int) -> np.ndarray:
    return overlaps(pairs, pairs, absent_label) >= min_iou


def _groups(same: np.ndarray) -> list[list[int]]:
    """Greedily from the first: each group is a leader and the later ones that are the same as it."""
    groups, free = [], np.ones(len(same), dtype=bool)
    for leader in range(len(same)):
        if free[leader]:
            members = np.flatnonzero(free & same[leader])
            free[members] = False
            groups.append([leader, *(int(m) for m in members if m != leader)])
            free[leader] = False
    return groups
