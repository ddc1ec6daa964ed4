"""Reads the fixtures of HOICLIP and GEN-VLKT: images, CLIP views, pairs with HOI labels, small models."""

from pathlib import Path

import numpy as np
import torch

from hqm_mmdet.structures import HOIDataSample, cxcywh_to_xyxy, new_pairs
from tests.models.reference import load_arrays

MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
LN_SCALE = float(np.log(1 / 0.07))
SMALL_CLIP = dict(
    _delete_=True,
    image_size=96,
    patch_size=32,
    vision_width=128,
    vision_layers=2,
    text_width=64,
    text_layers=2,
    embed_dims=64,
)
SMALL_ATTENTION = dict(embed_dims=64, num_heads=8, dropout=0.0)
SMALL_FFN = dict(embed_dims=64, feedforward_channels=128, num_fcs=2, ffn_drop=0.0)
SMALL = {
    "num_queries": 16,
    "neck.out_channels": 64,
    "positional_encoding.num_feats": 32,
    "encoder.num_layers": 2,
    "encoder.layer_cfg.self_attn_cfg": SMALL_ATTENTION,
    "encoder.layer_cfg.ffn_cfg": SMALL_FFN,
    "decoder.num_layers": 2,
    "decoder.layer_cfg.self_attn_cfg": SMALL_ATTENTION,
    "decoder.layer_cfg.cross_attn_cfg": SMALL_ATTENTION,
    "decoder.layer_cfg.ffn_cfg": SMALL_FFN,
    "clip.size": SMALL_CLIP,
    "bbox_head.embed_dims": 64,
    "bbox_head.clip_dims": 64,
}
NO_FILES = {"clip.weights": None, "bbox_head.clip": None, "bbox_head.verb_file": None}
LOSS_NAMES = {
    "loss_hoi": "loss_hoi_labels",
    "loss_obj_cls": "loss_obj_ce",
    "loss_sub_bbox": "loss_sub_bbox",
    "loss_obj_bbox": "loss_obj_bbox",
    "loss_sub_iou": "loss_sub_giou",
    "loss_obj_iou": "loss_obj_giou",
}


def inputs_and_samples(reference_dir: Path, name: str, **sizes) -> tuple[torch.Tensor, list[HOIDataSample]]:
    """Padded batch of normalised images, and samples with CLIP's views of them.

    Args:
        reference_dir (Path): the fixtures.
        name (str): file with ``image_i_uint8`` and ``clip_image_uint8``.
        **sizes: ``orig_sizes`` (N, 2), height and width.
    """
    arrays = load_arrays(reference_dir, "hoiclip", name)
    views = torch.from_numpy(arrays["clip_image_uint8"])
    images = [torch.from_numpy(arrays[f"image_{i}_uint8"]) for i in range(len(views))]
    height, width = (max(image.shape[d] for image in images) for d in (1, 2))
    batch, samples = torch.zeros(len(images), 3, height, width), []
    for i, image in enumerate(images):
        h, w = image.shape[1:]
        batch[i, :, :h, :w] = (image / 255 - MEAN[:, None, None]) / STD[:, None, None]
        original = tuple(int(x) for x in sizes["orig_sizes"][i]) if sizes else (h, w)
        sample = HOIDataSample(metainfo=dict(img_path=f"image{i}", img_shape=(h, w), ori_shape=original))
        sample.set_field(views[i], "clip_image")
        samples.append(sample)
    return batch, samples


def annotate(samples: list[HOIDataSample], targets: list[list[dict]], num_verbs: int) -> list[HOIDataSample]:
    """Samples with the fixture's pairs as ``gt_pairs``, in pixels of each image."""
    for sample, pairs in zip(samples, targets, strict=True):
        height, width = sample.img_shape
        scale = torch.tensor([width, height, width, height])
        boxes = [
            cxcywh_to_xyxy(torch.tensor([pair[key] for pair in pairs]).reshape(-1, 4)) * scale
            for key in ("sub_box", "obj_box")
        ]
        verbs = torch.zeros(len(pairs), num_verbs)
        for row, pair in zip(verbs, pairs, strict=True):
            row[pair["verb_ids"]] = 1
        labels = torch.tensor([pair["obj_label"] for pair in pairs], dtype=torch.long)
        sample.gt_pairs = new_pairs(*boxes, labels, verb_labels=verbs)
    return samples


def official_name(ours: str) -> str:
    """``d0.loss_hoi`` -> ``loss_hoi_labels_0``; the last layer has no suffix."""
    layer, _, name = ours.rpartition(".")
    return f"{LOSS_NAMES[name]}_{layer[1:]}" if layer else LOSS_NAMES[name]


def check_matching(assigned, expected: dict) -> None:
    """Matches of all layers, as [[queries], [pairs]] per image."""
    names = [f"aux_{layer}" for layer in range(len(assigned.query) - 1)] + ["final"]
    for layer, name in enumerate(names):
        for image, (queries, targets) in enumerate(expected[name]):
            chosen = assigned.image == image
            assert assigned.query[layer, chosen].tolist() == queries
            assert assigned.target[layer, chosen].tolist() == targets
