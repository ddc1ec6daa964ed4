"""Official H-Deformable-DETR: names, and the layout of its Swin Transformer."""

import re

import torch
from torch import Tensor

from .key_tables import Rules, with_prefixes


def _layers(theirs: str, attentions: dict[str, str], norms: tuple[int, ...]) -> Rules:
    """Rules of an encoder or decoder; ``norms`` are the official numbers in the order of ours."""
    parts = attentions | {"linear1": "ffn.layers.0.0", "linear2": "ffn.layers.1"}
    parts |= {f"norm{number}": f"norms.{place}" for place, number in enumerate(norms)}
    return [
        (rf"^transformer\.{theirs}\.layers\.(\d+)\.{part}\.", rf"{theirs}.layers.\1.{ours}.")
        for part, ours in parts.items()
    ]


_BLOCK = r"^backbone\.0\.body\.layers\.(\d+)\.blocks\.(\d+)\."
_OURS = r"backbone.stages.\1.blocks.\2."
OFFICIAL_H_DETR: Rules = [
    *_layers("encoder", {"self_attn": "self_attn"}, (1, 2)),
    # The decoder's first norm follows its second attention.
    *_layers("decoder", {"self_attn": "self_attn.attn", "cross_attn": "cross_attn"}, (2, 1, 3)),
    (r"^transformer\.level_embed$", "level_embed"),
    (r"^transformer\.enc_output\.", "memory_trans_fc."),
    (r"^transformer\.enc_output_norm\.", "memory_trans_norm."),
    (r"^transformer\.pos_trans\.", "pos_trans_fc."),
    (r"^transformer\.pos_trans_norm\.", "pos_trans_norm."),
    # The decoder holds both heads a second time.
    (r"^(?:transformer\.decoder\.)?class_embed\.(\d+)\.", r"bbox_head.cls_branches.\1."),
    *(
        (
            rf"^(?:transformer\.decoder\.)?bbox_embed\.(\d+)\.layers\.{layer}\.",
            rf"bbox_head.reg_branches.\1.{2 * layer}.",
        )
        for layer in range(3)
    ),
    (r"^query_embed\.", "query_embedding."),
    (r"^input_proj\.([0-2])\.0\.", r"neck.convs.\1.conv."),
    (r"^input_proj\.([0-2])\.1\.", r"neck.convs.\1.gn."),
    (r"^input_proj\.3\.0\.", "neck.extra_convs.0.conv."),
    (r"^input_proj\.3\.1\.", "neck.extra_convs.0.gn."),
    (r"^backbone\.0\.body\.patch_embed\.proj\.", "backbone.patch_embed.projection."),
    (rf"{_BLOCK}attn\.", rf"{_OURS}attn.w_msa."),
    (rf"{_BLOCK}mlp\.fc1\.", rf"{_OURS}ffn.layers.0.0."),
    (rf"{_BLOCK}mlp\.fc2\.", rf"{_OURS}ffn.layers.1."),
    (_BLOCK, _OURS),
    (r"^backbone\.0\.body\.layers\.(\d+)\.downsample\.", r"backbone.stages.\1.downsample."),
    (r"^backbone\.0\.body\.", "backbone."),
]
H_DETR_IN_PVIC: Rules = with_prefixes(OFFICIAL_H_DETR, "detector.", "instances.detector.")
_MERGING = re.compile(r"backbone\.stages\.\d+\.downsample\.(norm|reduction)\.")


def as_mmdet_merges(name: str, tensor: Tensor) -> Tensor:
    """A tensor with our name; where 2 x 2 patches are merged, in the order in which mmdet lays them side by side.

    Official: the upper left patch, lower left, upper right, lower right; mmdet unfolds channels first, row by row.
    """
    if not _MERGING.search(name):
        return tensor
    order = torch.tensor([0, 2, 1, 3])
    patches = tensor.unflatten(-1, (4, -1))  # (..., 4 patches, channels)
    return patches[..., order, :].transpose(-2, -1).flatten(-2).contiguous()
