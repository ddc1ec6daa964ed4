"""From raw predictions of one decoder layer to scored pairs in pixels."""

import torch
import torch.nn.functional as F
from mmengine.structures import InstanceData
from torch import Tensor

from hqm_mmdet.structures import HOIClasses, cxcywh_to_xyxy, new_pairs


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
    return _pairs(preds, size, obj_labels, obj_scores=obj_scores, verb_scores=verb_scores)


def decode_hois(
    preds: dict[str, Tensor], size: tuple[int, int], hois: HOIClasses, added: Tensor | None = None
) -> InstanceData:
    """GEN-VLKT's post-processing; one pair per query, no threshold, no suppression, no clipping.

    A HOI class has the score ``sigmoid(hoi) + sigmoid(object class of the HOI)^2``, so it reaches up to 2. The pair's
    object label, the best class without "no object", has no part in it. Source: ``PostProcessHOITriplet`` and
    ``HICOEvaluator`` of the official code.

    Args:
        preds (dict[str, Tensor]): of one image and layer: ``obj_logits`` (N, C + 1), ``hoi_logits`` (N, H),
            ``sub_boxes``, ``obj_boxes`` (N, 4) cxcywh relative to the image.
        size (tuple[int, int]): height and width of the frame that boxes are wanted in, pixels.
        hois (HOIClasses): H classes.
        added (Tensor, optional): (H,) of :func:`enhancement`.

    Returns:
        InstanceData: a ``pred_pairs`` of length N with ``hoi_scores`` (N, H), ``hoi_probs`` (N, H), the product of both
        probabilities, which no published evaluation uses but people can read, and ``hois`` as metainfo.
    """
    class_scores, obj_labels = preds["obj_logits"].sigmoid(), preds["obj_logits"][:, :-1].argmax(-1)
    probs, object_scores = preds["hoi_logits"].sigmoid(), class_scores[:, list(hois.objects)]
    hoi_scores = probs + object_scores**2
    obj_scores = class_scores.gather(1, obj_labels[:, None])[:, 0]
    if added is not None:
        hoi_scores = hoi_scores + added
    pairs = _pairs(
        preds, size, obj_labels, obj_scores=obj_scores, hoi_scores=hoi_scores, hoi_probs=probs * object_scores
    )
    pairs.set_metainfo(dict(hois=hois))
    return pairs


def enhancement(image_embeds: Tensor, text: Tensor, top_k: int) -> Tensor:
    """What HOICLIP's training-free enhancement adds to the scores of all queries of an image.

    ``sigmoid(cosine)`` for the ``top_k`` HOI classes whose descriptions are nearest to the image, sigmoid(0) for the
    others.

    Args:
        image_embeds (Tensor): (B, e), of any length.
        text (Tensor): (H, e), of any length.
        top_k (int): k, 10 in the published results.

    Returns:
        Tensor: (B, H).
    """
    cosines = F.normalize(image_embeds.float(), dim=-1) @ F.normalize(text, dim=-1).T
    nearest = cosines.topk(min(top_k, cosines.shape[1]))
    return torch.zeros_like(cosines).scatter(1, nearest.indices, nearest.values).sigmoid()


def _pairs(preds: dict[str, Tensor], size: tuple[int, int], obj_labels: Tensor, **scores: Tensor) -> InstanceData:
    height, width = size
    scale = preds["sub_boxes"].new_tensor([width, height, width, height])
    return new_pairs(
        cxcywh_to_xyxy(preds["sub_boxes"]) * scale,
        cxcywh_to_xyxy(preds["obj_boxes"]) * scale,
        obj_labels,
        **scores,
        queries=torch.arange(len(obj_labels), device=obj_labels.device),
    )
