"""Checkpoint files that others load: complete or absent, ``.pth`` or ``.safetensors``."""

import io
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from hqm_mmdet.safetensors_io import safetensors_bytes
from hqm_mmdet.utils.atomic_io import write_atomically

FORMATS = ("pth", "safetensors")


def checkpoint_bytes(state: Mapping[str, Tensor], meta: Mapping, file_format: str) -> bytes:
    """Content of a checkpoint file; the same weights give the same bytes.

    Args:
        state (Mapping[str, Tensor]): parameters and buffers by name.
        meta (Mapping): what the weights belong to: ``cfg``, ``dataset_meta`` and more.
        file_format (str): one of ``FORMATS``.

    Raises:
        ValueError: another format, or ``meta`` holds what ``.safetensors`` can't.
    """
    state = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in state.items()}
    if file_format == "safetensors":
        return safetensors_bytes(state, meta)
    if file_format != "pth":
        raise ValueError(f"A checkpoint's name ends in .{' or .'.join(FORMATS)}, got .{file_format}.")
    stream = io.BytesIO()
    torch.save({"state_dict": state, "meta": dict(meta)}, stream)
    return stream.getvalue()


def write_checkpoint(path: str | Path, state: Mapping[str, Tensor], meta: Mapping) -> None:
    """Write a checkpoint in the format that the file's ending says.

    Raises:
        ValueError: another ending.
        OSError: the file can't be written.
    """
    write_atomically(path, checkpoint_bytes(state, meta, Path(path).suffix[1:]))
