"""From HOTR's raw predictions of one decoder layer to scored pairs in pixels."""

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from hqm_mmdet.structures import new_pairs

from .postprocess import decode_pairs


def decode_pointed_pairs(preds: dict[str, Tensor], size: tuple[int, int]) -> InstanceData:
    """One pair per query, HOTR's HICO-DET post-processing.

    A verb's score is its probability, times that of an interaction, times the object's score. The probability of the
    pointers takes no part, and nothing makes sure that the subject is a person.

    Args:
        preds (dict[str, Tensor]): of one image and layer, see :meth:`HOTRHead.forward`.
        size (tuple[int, int]): height and width of the frame that boxes are wanted in, pixels.

    Returns:
        InstanceData: a ``pred_pairs`` of length N.
    """
    pairs = decode_pairs(preds, size)
    pairs.verb_scores = pairs.verb_scores * (-preds["no_interaction_logits"]).sigmoid()
    return pairs


def merge_pairs(pairs: InstanceData, preds: dict[str, Tensor], is_person: Tensor, absent_label: int) -> InstanceData:
    """Queries with the same subject and object become one pair, HOTR's V-COCO post-processing.

    Scores of a pair are summed over its queries, those of the query surest of an interaction counting twice. They do
    not hold the object's score. An instance paired with itself has no object (zero box, ``absent_label``).

    Args:
        pairs (InstanceData): of :func:`decode_pointed_pairs`, N pairs.
        preds (dict[str, Tensor]): of one image and layer.
        is_person (Tensor): (I,) bool; pairs of other subjects are left out.
        absent_label (int): label of an absent object.

    Returns:
        InstanceData: a ``pred_pairs`` of at most N pairs, with ``sub_instances``, ``obj_instances`` (instance indices)
        and ``queries`` (the surest query of each).
    """
    sub, obj = (preds[f"{who}_pointer_logits"].argmax(-1) for who in ("sub", "obj"))
    interaction = (-preds["no_interaction_logits"]).sigmoid()  # (N, 1)
    scores = preds["verb_logits"].sigmoid() * interaction
    # one number per (subject, object), so that equal pairs of pointers are found without a loop
    cells, cell_of = torch.unique(sub * len(is_person) + obj, return_inverse=True)
    members = cell_of == torch.arange(len(cells), device=sub.device)[:, None]  # (cells, N)
    surest = torch.where(members, interaction.T, -1).argmax(1)
    # the sum holds the surest query once, so adding its scores counts it twice, as the official code does
    merged = members.to(scores.dtype) @ scores + scores[surest]
    keep = is_person[sub[surest]]
    surest, merged = surest[keep], merged[keep]
    alone = sub[surest] == obj[surest]
    return new_pairs(
        pairs.sub_bboxes[surest],
        pairs.obj_bboxes[surest].masked_fill(alone[:, None], 0),
        pairs.obj_labels[surest].masked_fill(alone, absent_label),
        obj_scores=pairs.obj_scores[surest],
        verb_scores=merged,
        sub_instances=sub[surest],
        obj_instances=obj[surest],
        queries=surest,
    )
