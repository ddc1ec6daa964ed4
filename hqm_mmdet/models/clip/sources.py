"""CLIP weights from the files that people have: OpenAI's, Hugging Face's, official HOICLIP checkpoints, our own."""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from hqm_mmdet.safe_loading import CheckpointError, load_untrusted

from .torchscript import is_torchscript, read_torchscript

StateDict = dict[str, Tensor]

HOW_TO_GET = (
    "Put one of these there: the file that OpenAI published (ViT-B-32.pt, ViT-B-16.pt or ViT-L-14.pt), a copy of a "
    "Hugging Face folder such as openai/clip-vit-base-patch32 (model.safetensors or pytorch_model.bin), or an official "
    "HOICLIP checkpoint. Nothing is downloaded at run time; docs/hoiclip.md says where they come from."
)
HUGGING_FACE_FILES = ("model.safetensors", "pytorch_model.bin")
MARKER = "visual.conv1.weight"
NOT_WEIGHTS = ("input_resolution", "context_length", "vocab_size")  # numbers that OpenAI's archive keeps as tensors
CLIP_PREFIX = "clip_model."

# Hugging Face's CLIPModel -> OpenAI's names. Attention projections are joined and two matrices transposed apart.
HUGGING_FACE_RULES = [
    (r"^vision_model\.embeddings\.class_embedding$", "visual.class_embedding"),
    (r"^vision_model\.embeddings\.patch_embedding\.", "visual.conv1."),
    (r"^vision_model\.embeddings\.position_embedding\.weight$", "visual.positional_embedding"),
    (r"^vision_model\.pre_layrnorm\.", "visual.ln_pre."),  # spelt so in their model
    (r"^vision_model\.post_layernorm\.", "visual.ln_post."),
    (r"^vision_model\.encoder\.layers\.(\d+)\.", r"visual.transformer.resblocks.\1."),
    (r"^text_model\.encoder\.layers\.(\d+)\.", r"transformer.resblocks.\1."),
    (r"^text_model\.embeddings\.token_embedding\.", "token_embedding."),
    (r"^text_model\.embeddings\.position_embedding\.weight$", "positional_embedding"),
    (r"^text_model\.final_layer_norm\.", "ln_final."),
]
HUGGING_FACE_PARTS = {
    ".layer_norm1.": ".ln_1.",
    ".layer_norm2.": ".ln_2.",
    ".mlp.fc1.": ".mlp.c_fc.",
    ".mlp.fc2.": ".mlp.c_proj.",
    ".self_attn.": ".attn.",
}


def read_clip(path: str | Path) -> StateDict:
    """Weights of both towers with OpenAI's names, float32.

    Published files hold half precision on purpose of size; computing in float32 is what this package does.

    Args:
        path (str | Path): OpenAI's TorchScript archive (read without running it), a Hugging Face folder or its
            ``model.safetensors``/``pytorch_model.bin``, a plain state dict of either, or a checkpoint that holds a
            CLIP below ``clip_model.`` (official HOICLIP).

    Raises:
        FileNotFoundError: nothing there; the message says what is expected and how to get it.
        CheckpointError: the file is damaged, wants to run code, or holds no vision transformer CLIP.
    """
    file = _file_of(Path(path))
    state = read_torchscript(file) if is_torchscript(file) else _weights(load_untrusted(file, "cpu"))
    state = to_openai_names(state)
    if MARKER not in state:
        raise CheckpointError(
            f"{file} holds no CLIP with a vision transformer: {MARKER!r} is not among its names, e.g. "
            f"{sorted(state)[:3]}. {HOW_TO_GET}"
        )
    return {name: value.float() for name, value in state.items()}


def to_openai_names(state: Mapping[str, Tensor]) -> StateDict:
    """Weights of a CLIP in any of the known namings, by OpenAI's names; names without a place in CLIP are left out."""
    if any(name.startswith(CLIP_PREFIX) for name in state):
        state = {name[len(CLIP_PREFIX) :]: value for name, value in state.items() if name.startswith(CLIP_PREFIX)}
    if any(name.startswith("vision_model.") for name in state):
        return _of_hugging_face(state)
    return {name: value for name, value in state.items() if name not in NOT_WEIGHTS}


def _file_of(path: Path) -> Path:
    if path.is_dir():
        found = [path / name for name in HUGGING_FACE_FILES if (path / name).is_file()]
        if not found:
            raise FileNotFoundError(f"CLIP folder {path} has neither of {HUGGING_FACE_FILES}. {HOW_TO_GET}")
        return found[0]
    if not path.is_file():
        raise FileNotFoundError(f"CLIP weights {path} do not exist. {HOW_TO_GET}")
    return path


def _weights(content) -> Mapping[str, Tensor]:
    """The state dict of a checkpoint's content, wherever its code base puts it."""
    for key in ("model", "state_dict"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping):
        return {}
    return {name: value for name, value in content.items() if isinstance(value, Tensor)}


def _of_hugging_face(state: Mapping[str, Tensor]) -> StateDict:
    renamed = {"logit_scale": state["logit_scale"]} if "logit_scale" in state else {}
    for name, value in state.items():
        new = _renamed(name)
        if new is not None:
            renamed[new] = value
    for theirs, ours in (("visual_projection.weight", "visual.proj"), ("text_projection.weight", "text_projection")):
        if theirs in state:
            renamed[ours] = state[theirs].T.contiguous()
    return _with_joined_projections(renamed)


def _renamed(name: str) -> str | None:
    for pattern, replacement in HUGGING_FACE_RULES:
        new, count = re.subn(pattern, replacement, name)
        if count:
            for theirs, ours in HUGGING_FACE_PARTS.items():
                new = new.replace(theirs, ours)
            return new
    return None


def _with_joined_projections(state: StateDict) -> StateDict:
    """Query, key and value projections of each attention, stacked as PyTorch's ``in_proj_*``."""
    joined = {}
    for name, value in state.items():
        match = re.fullmatch(r"(.*\.attn\.)([qkv])_proj\.(weight|bias)", name)
        if match is None:
            joined[name] = value
        elif match[2] == "q":
            parts = [state[f"{match[1]}{part}_proj.{match[3]}"] for part in "qkv"]
            joined[f"{match[1]}in_proj_{match[3]}"] = torch.cat(parts)
    return joined
