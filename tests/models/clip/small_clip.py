"""A CLIP of a few thousand weights, and the files that people have of one."""

import json
from pathlib import Path

import torch
from torch import Tensor

from hqm_mmdet.models.clip import CLIP, CLIPSize

SIZE = CLIPSize(
    image_size=32,
    patch_size=16,
    vision_width=64,
    vision_layers=2,
    text_width=64,
    text_layers=2,
    embed_dims=32,
    context_length=20,
    vocab_size=49408,
)


def small_clip(seed: int = 0) -> CLIP:
    """Random weights."""
    torch.manual_seed(seed)
    return CLIP(SIZE).eval().requires_grad_(False)


def hugging_face_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The table of the reference page, OpenAI's names to Hugging Face's."""
    plain = {
        "visual.class_embedding": "vision_model.embeddings.class_embedding",
        "visual.conv1.weight": "vision_model.embeddings.patch_embedding.weight",
        "visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
        "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
        "positional_embedding": "text_model.embeddings.position_embedding.weight",
        "logit_scale": "logit_scale",
    }
    parts = {
        "visual.ln_pre.": "vision_model.pre_layrnorm.",
        "visual.ln_post.": "vision_model.post_layernorm.",
        "visual.transformer.resblocks.": "vision_model.encoder.layers.",
        "transformer.resblocks.": "text_model.encoder.layers.",
        "ln_final.": "text_model.final_layer_norm.",
        ".ln_1.": ".layer_norm1.",
        ".ln_2.": ".layer_norm2.",
        ".mlp.c_fc.": ".mlp.fc1.",
        ".mlp.c_proj.": ".mlp.fc2.",
        ".attn.": ".self_attn.",
    }
    renamed = {}
    for name, value in state.items():
        if name in plain:
            renamed[plain[name]] = value
        elif name in ("visual.proj", "text_projection"):
            renamed[f"{'visual' if '.' in name else 'text'}_projection.weight"] = value.T.contiguous()
        else:
            for ours, theirs in parts.items():
                name = name.replace(ours, theirs)
            head, joined, kind = name.partition("in_proj_")
            split = {f"{head}{letter}_proj.{kind}": part for letter, part in zip("qkv", value.chunk(3), strict=False)}
            renamed.update(split if joined else {name: value})
    return renamed


def write_vocabulary(folder: Path) -> None:
    """A byte pair encoding that knows letters, and the words "red" and "redder"."""
    letters = [*"abcdefghijklmnopqrstuvwxyz"]
    merges = [("r", "e"), ("re", "d</w>"), ("re", "d"), ("d", "e"), ("de", "r</w>")]
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(pair) for pair in merges)]
    vocabulary = {token: i for i, token in enumerate(tokens)} | {"<|startoftext|>": 49406, "<|endoftext|>": 49407}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
