"""Text embeddings of prompts as classifier weights: computed once, then read from a file beside the CLIP weights."""

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.dist import is_main_process
from mmengine.logging import print_log
from torch import Tensor

from hqm_mmdet.safetensors_io import read_safetensors, safetensors_bytes
from hqm_mmdet.utils.atomic_io import write_atomically

from .model import CLIP
from .sources import read_clip
from .tokens import tokenize


def text_classifier(clip: str | Path, prompts: Sequence[str], cache: bool = True) -> Tensor:
    """Normalised text embeddings of prompts.

    Args:
        clip (str | Path): CLIP weights, see :func:`~.sources.read_clip`; a folder also gives the vocabulary.
        prompts (Sequence[str]): N prompts.
        cache (bool): keep the result beside ``clip``, in a file whose name is a hash of the text tower and the token
            ids, and read it the next time. Default: True.

    Returns:
        Tensor: (N, e) float32, rows of length 1.
    """
    return text_classifiers(clip, [prompts], cache)[0]


def text_classifiers(clip: str | Path, prompt_lists: Sequence[Sequence[str]], cache: bool = True) -> list[Tensor]:
    """:func:`text_classifier` of several lists; the weights are read once."""
    state = read_clip(clip)
    tokens = [tokenize(prompts, clip) for prompts in prompt_lists]
    digest = _digest(state)
    files = [_cache_file(Path(clip), digest, ids) for ids in tokens]
    known = [read_safetensors(file)["state_dict"]["weight"] if cache and file.is_file() else None for file in files]
    model = None
    for i, weight in enumerate(known):
        if weight is None:
            model = model or CLIP.of_state(state)
            known[i] = model.text_features(tokens[i])
            if cache and is_main_process():
                _keep(files[i], known[i])
    return known


def _digest(state: dict[str, Tensor]) -> "hashlib._Hash":
    """Hash of the text tower's weights."""
    digest = hashlib.sha256()
    for name in sorted(state):
        if not name.startswith("visual.") and name != "logit_scale":
            digest.update(name.encode())
            digest.update(state[name].contiguous().view(torch.uint8).numpy())
    return digest


def _cache_file(clip: Path, digest: "hashlib._Hash", tokens: Tensor) -> Path:
    digest = digest.copy()
    digest.update(f"{tuple(tokens.shape)}".encode())
    digest.update(tokens.numpy())
    folder = clip if clip.is_dir() else clip.parent
    return folder / f"text_classifier_{digest.hexdigest()[:16]}.safetensors"


def _keep(file: Path, weight: Tensor) -> None:
    try:
        write_atomically(file, safetensors_bytes({"weight": weight.contiguous()}, {}))
    except OSError as error:
        print_log(f"Text classifier not kept, {file}: {error}", logger="current", level=logging.WARNING)
