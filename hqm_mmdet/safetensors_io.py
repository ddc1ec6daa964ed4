"""Checkpoints as ``.safetensors``: tensors, and what belongs to them as JSON in the file's header."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from .errors import UserError


class FormatError(UserError, ValueError):
    """A checkpoint that can't be written in the format that is asked for."""


META_KEY = "hqm_mmdet.meta"  # the header holds strings only


def read_safetensors(path: str | Path) -> dict:
    """``{'state_dict': ..., 'meta': ...}``; ``meta`` is empty in files of others."""
    with safe_open(path, framework="pt") as file:
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  no mapping
        header = file.metadata() or {}
    return {"state_dict": state, "meta": decode(json.loads(header.get(META_KEY, "{}")))}


def safetensors_bytes(state: Mapping[str, Tensor], meta: Mapping) -> bytes:
    """Content of a file that :func:`read_safetensors` reads; with one entry in the header it is always the same.

    Args:
        state (Mapping[str, Tensor]): contiguous tensors that share no memory.
        meta (Mapping): plain values, tuples, sets and small NumPy arrays, nested as one likes.

    Raises:
        FormatError: another kind of value; it is named.
    """
    # One entry, sorted: the header's order is not fixed, and equal weights have to give equal files.
    return save(dict(state), metadata={META_KEY: json.dumps(encode(meta), sort_keys=True)})


def encode(value):
    """To what JSON holds; tuples, sets and arrays as dicts whose key says so. Undone by :func:`decode`.

    >>> encode({"a": (1, 2)})
    {'a': {'tuple': [1, 2]}}
    """
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return {"array": value.tolist(), "dtype": str(value.dtype)}
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [encode(item) for item in value]}
    if isinstance(value, set | frozenset):
        return {"set": [encode(item) for item in sorted(value)]}
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: encode(item) for key, item in value.items()}
    raise FormatError(f"A .safetensors file can't hold {value!r:.80} ({type(value).__name__}); write .pth instead.")


def decode(value):
    """Inverse of :func:`encode`."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"array", "dtype"}:
        return np.array(value["array"], dtype=value["dtype"])
    if set(value) == {"tuple"}:
        return tuple(decode(item) for item in value["tuple"])
    if set(value) == {"set"}:
        return {decode(item) for item in value["set"]}
    return {key: decode(item) for key, item in value.items()}
