"""From raw predictions of one decoder layer to scored pairs in pixels."""

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from hqm_mmdet.structures import cxcywh_to_xyxy, new_pairs


def decode_pairs(
    preds: dict[str, Tensor], size: tuple[int, int], verb_object_mask: Tensor | None = None
) -> InstanceData:
    """QPIC's post-processing; one pair per query, no threshold, no suppression, no clipping.

    The object's label and score are the best class without "no object", even where "no object" wins. A verb's score is
    its probability times the object's score.

    Args:
        preds (dict[str, Tensor]): of one image and layer: ``obj_logits`` (N, C + 1), ``verb_logits`` (N, V),
            ``sub_boxes``, ``obj_boxes`` (N, 4) cxcywh relative to the image.
        size (tuple[int, int]): height and width of the frame that boxes are wanted in, pixels.
        verb_object_mask (Tensor, optional): (V, C) 0 or 1; scores of forbidden combinations become 0 (V-COCO).
            Object labels beyond its columns ("missing object") allow every verb. Default None.

    Returns:
        InstanceData: a ``pred_pairs`` of length N, with ``queries`` (N,) long, the query that each pair came from.
    """
    # softmax first, so that a query which is sure of "no object" has low scores for all classes
    obj_scores, obj_labels = preds["obj_logits"].softmax(-1)[:, :-1].max(-1)
    verb_scores = preds["verb_logits"].sigmoid() * obj_scores[:, None]
    if verb_object_mask is not None:
        # a column of ones for labels that the table does not know
        allowed = torch.cat([verb_object_mask, torch.ones_like(verb_object_mask[:, :1])], dim=1)
        verb_scores = verb_scores * allowed[:, obj_labels.clamp(max=allowed.shape[1] - 1)].T
    height, width = size
    scale = preds["sub_boxes"].new_tensor([width, height, width, height])
    return new_pairs(
        cxcywh_to_xyxy(preds["sub_boxes"]) * scale,
        cxcywh_to_xyxy(preds["obj_boxes"]) * scale,
        obj_labels,
        obj_scores=obj_scores,
        verb_scores=verb_scores,
        queries=torch.arange(len(obj_labels), device=obj_labels.device),
    )
