"""DINO's states of boxes that are given to it, as its denoising queries are in training."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from mmdet.models.detectors import DINO
from mmdet.structures import DetDataSample, SampleList
from torch import Tensor


def decode_dino(
    detector: DINO, feats: Sequence[Tensor], samples: SampleList
) -> tuple[dict, Callable[[Sequence[Tensor], Sequence[Tensor]], Tensor]]:
    """What ``forward_transformer`` gives, stage by stage, and a function that decodes any boxes of the images.

    A given box is a query as DINO is trained with (DN-DETR, Li et al., CVPR 2022): its label's embedding as content,
    the box as reference. It sees itself and the detector's own queries; those do not see it, so their results stay as
    they are.
    """
    encoder_inputs, decoder_inputs = detector.pre_transformer(feats, samples)
    memory = detector.forward_encoder(**encoder_inputs)
    queries, _ = detector.pre_decoder(**memory, batch_data_samples=samples)
    decoder_inputs.update(queries)
    return detector.forward_decoder(**decoder_inputs), partial(_states, detector, decoder_inputs, samples)


def _states(
    detector: DINO, inputs: dict, samples: SampleList, boxes: Sequence[Tensor], labels: Sequence[Tensor]
) -> Tensor:
    """(sum of n, D) last states of boxes (n, 4), in pixels of the detector's input, with the detector's labels (n,)."""
    found = [
        _of_image(detector, {name: _row(name, value, i) for name, value in inputs.items()}, sample, *given)
        for i, (sample, *given) in enumerate(zip(samples, boxes, labels, strict=True))
        if len(given[0])
    ]
    return torch.cat(found) if found else boxes[0].new_zeros(0, detector.embed_dims)


def _row(name: str, value, image: int):
    """An image's part of what the decoder gets; shapes of the maps are the batch's."""
    shared = value is None or name in ("spatial_shapes", "level_start_index")
    return value if shared else value[image : image + 1]


def _of_image(detector: DINO, inputs: dict, sample: DetDataSample, boxes: Tensor, labels: Tensor) -> Tensor:
    """Of one image, the only one of ``inputs``."""
    height, width = sample.img_shape[:2]
    relative = (boxes / boxes.new_tensor([width, height] * 2)).clamp(0, 1)
    references = torch.cat([(relative[:, :2] + relative[:, 2:]) / 2, relative[:, 2:] - relative[:, :2]], 1)
    given, own = len(boxes), inputs["query"].shape[1]
    hidden = torch.zeros(given + own, given + own, dtype=torch.bool, device=boxes.device)
    hidden[:, :given] = True
    hidden[:given, :given].fill_diagonal_(False)
    contents = detector.dn_query_generator.label_embedding(labels)
    decoded = detector.forward_decoder(
        **{
            **inputs,
            "query": torch.cat([contents[None], inputs["query"]], 1),
            "reference_points": torch.cat([references[None], inputs["reference_points"]], 1),
            "dn_mask": hidden,
        }
    )
    return decoded["hidden_states"][-1][0, :given]
