"""States of boxes that are given to a query detector, where its queries are boxes.

A given box is a query beside the detector's own: it sees itself and those, and they do not see it, so their results
stay as they are. DINO's denoising queries are decoded so in training (DN-DETR, Li et al., CVPR 2022). What a query is
made of besides its box differs by detector; where it is more than the box and its label, no box can be given.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from mmdet.models.detectors import DABDETR, DINO, DeformableDETR, DetectionTransformer
from mmdet.models.layers import inverse_sigmoid
from mmdet.structures import DetDataSample, SampleList
from mmdet.structures.bbox import bbox_xyxy_to_cxcywh
from torch import Tensor

Inputs = dict[str, Tensor | None]  # of a detector's decoder
# the detector, its decoder's inputs, boxes (1, n, 4) and labels (n,) -> the same inputs with the boxes' queries first
Joined = Callable[[DetectionTransformer, Inputs, Tensor, Tensor], Inputs]


def decode(
    detector: DetectionTransformer, feats: Sequence[Tensor], samples: SampleList
) -> tuple[dict, Callable[[Sequence[Tensor], Sequence[Tensor]], Tensor] | None]:
    """What ``forward_transformer`` gives, and a function that decodes any boxes of the images, or None.

    DINO, two-stage Deformable DETR and DAB-DETR with four coordinates can decode boxes. A query of DETR, Conditional
    DETR and one-stage Deformable DETR is a learned vector, of which a box is no part.
    """
    joined = _joined_queries(detector)
    if joined is None:
        return detector.forward_transformer(feats, samples), None
    encoder_inputs, decoder_inputs = detector.pre_transformer(feats, samples)
    memory = detector.forward_encoder(**encoder_inputs)
    noise = dict(batch_data_samples=samples) if isinstance(detector, DINO) else {}
    queries, _ = detector.pre_decoder(**memory, **noise)
    inputs = {**decoder_inputs, **queries}
    return detector.forward_decoder(**inputs), partial(_states, detector, joined, inputs, samples)


def _joined_queries(detector: DetectionTransformer) -> Joined | None:
    """How boxes become queries of a detector; None where they can't. Subclasses may do otherwise and are left out."""
    kind = type(detector)
    if kind is DINO:
        return _of_dino
    if kind is DeformableDETR and detector.as_two_stage:
        return _of_deformable
    if kind is DABDETR and detector.decoder.query_dim == 4 and not detector.num_patterns:
        return _of_dab
    return None


def _of_dino(detector: DINO, inputs: Inputs, boxes: Tensor, labels: Tensor) -> Inputs:
    """The label's embedding as content, the box as reference."""
    return dict(
        query=_first(detector.dn_query_generator.label_embedding(labels)[None], inputs["query"]),
        reference_points=_first(boxes, inputs["reference_points"]),
    )


def _of_deformable(detector: DeformableDETR, inputs: Inputs, boxes: Tensor, labels: Tensor) -> Inputs:
    """As the detector makes queries of its encoder's proposals: content and position are functions of the box."""
    made = detector.get_proposal_pos_embed(inverse_sigmoid(boxes))
    pos, content = detector.pos_trans_norm(detector.pos_trans_fc(made)).chunk(2, 2)
    return dict(
        query=_first(content, inputs["query"]),
        query_pos=_first(pos, inputs["query_pos"]),
        reference_points=_first(boxes, inputs["reference_points"]),
    )


def _of_dab(detector: DABDETR, inputs: Inputs, boxes: Tensor, labels: Tensor) -> Inputs:
    """A box as anchor; contents are zero, as those of all its queries."""
    anchors = inverse_sigmoid(boxes)
    contents = anchors.new_zeros(*anchors.shape[:2], inputs["query"].shape[2])
    return dict(query=_first(contents, inputs["query"]), query_pos=_first(anchors, inputs["query_pos"]))


def _first(given: Tensor, own: Tensor) -> Tensor:
    return torch.cat([given.to(own), own], 1)


def _states(
    detector: DetectionTransformer,
    joined: Joined,
    inputs: Inputs,
    samples: SampleList,
    boxes: Sequence[Tensor],
    labels: Sequence[Tensor],
) -> Tensor:
    """(sum of n, D) last states of boxes (n, 4), in pixels of the detector's input, with the detector's labels (n,)."""
    found = [
        _of_image(detector, joined, {name: _row(name, value, i) for name, value in inputs.items()}, sample, *given)
        for i, (sample, *given) in enumerate(zip(samples, boxes, labels, strict=True))
        if len(given[0])
    ]
    return torch.cat(found) if found else boxes[0].new_zeros(0, detector.embed_dims)


def _row(name: str, value, image: int):
    """An image's part of what the decoder gets; shapes of the maps are the batch's."""
    shared = value is None or name in ("spatial_shapes", "level_start_index")
    return value if shared else value[image : image + 1]


def _of_image(
    detector: DetectionTransformer, joined: Joined, inputs: Inputs, sample: DetDataSample, boxes: Tensor, labels: Tensor
) -> Tensor:
    """Of one image, the only one of ``inputs``."""
    height, width = sample.img_shape[:2]
    relative = (boxes / boxes.new_tensor([width, height] * 2)).clamp(0, 1)
    inputs = {**inputs, **joined(detector, inputs, bbox_xyxy_to_cxcywh(relative)[None], labels)}
    hidden = _hidden(len(boxes), inputs["query"].shape[1], boxes.device)
    return _decoded(detector, inputs, hidden)[-1][0, : len(boxes)]


def _hidden(given: int, total: int, device: torch.device) -> Tensor:
    """(total, total) bool, True = may not look: nobody at given boxes, but each of them at itself."""
    hidden = torch.zeros(total, total, dtype=torch.bool, device=device)
    hidden[:, :given] = True
    hidden[:given, :given].fill_diagonal_(False)
    return hidden


def _decoded(detector: DetectionTransformer, inputs: Inputs, hidden: Tensor) -> Tensor:
    """(L, 1, N, D) states; all but DINO's ``forward_decoder`` leave no place for a mask."""
    if isinstance(detector, DINO):
        return detector.forward_decoder(**{**inputs, "dn_mask": hidden})["hidden_states"]
    names = {"memory_mask": "key_padding_mask", "memory_pos": "key_pos"}
    if isinstance(detector, DABDETR):
        names["memory"], mask, layers = "key", "self_attn_masks", detector.bbox_head.fc_reg
    else:
        names["memory"], mask = "value", "self_attn_mask"
        layers = detector.bbox_head.reg_branches if detector.with_box_refine else None
    inputs = {names.get(name, name): value for name, value in inputs.items()}
    return detector.decoder(**inputs, reg_branches=layers, **{mask: hidden})[0]
