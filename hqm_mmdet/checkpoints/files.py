"""Checkpoint files, ``.pth`` or ``.safetensors``: read once, written completely or not at all."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from mmengine.config import Config
from torch import Tensor

from hqm_mmdet.safe_loading import CheckpointError, load_untrusted
from hqm_mmdet.safetensors_io import FormatError, safetensors_bytes
from hqm_mmdet.utils.atomic_io import write_atomically
from hqm_mmdet_cli.installation import command

from .config_text import config_of_checkpoint
from .contents import names_defect, weights_of
from .loading import without_module
from .sources import SOURCES, Source, foreign_source

FORMATS = ("pth", "safetensors")


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What inference needs of a checkpoint, on the CPU. Files are large: who has read one hands this on.

    Args:
        name (str): of the file, for messages.
        state (Mapping[str, Tensor]): weights.
        meta (Mapping): what they belong to: ``cfg``, ``dataset_meta`` and more.
    """

    name: str
    state: Mapping[str, Tensor]
    meta: Mapping

    @classmethod
    def read(cls, file: str | Path) -> "Checkpoint":
        """Read a file, without running code that it may hold; the optimizer's state is dropped at once.

        Raises:
            FileNotFoundError: no such file.
            CheckpointError: it wants to run code, is damaged, is no checkpoint, or one of another code base.
        """
        content = load_untrusted(file, "cpu")
        if (source := foreign_source(content)) is not None:
            raise CheckpointError(_of_another(file, SOURCES[source]))
        state = weights_of(content, str(file))
        meta = {} if state is content else content.get("meta") or {}
        if not isinstance(meta, Mapping):
            raise CheckpointError(
                f"Checkpoint {file} holds no weights to use: `meta` is {type(meta).__name__}, no dict."
            )
        if (defect := names_defect(meta.get("dataset_meta"))) is not None:
            raise CheckpointError(f"Checkpoint {file}: meta.dataset_meta {defect}. Publish or train it again.")
        return cls(str(file), without_module(state), meta)

    def config(self) -> Config:
        """The config that it holds, see :func:`~.config_text.config_of_checkpoint`.

        Raises:
            CheckpointError: none, or one that is not used.
        """
        return config_of_checkpoint(self.meta, self.name)


def _of_another(file: str | Path, source: Source) -> str:
    """What a file of another code base is, and what to do with it."""
    own = Path(file).with_name(f"{Path(file).stem}_converted.pth")
    then = "a training starts from the result" if source.initialises else "`predict --convert` does it in memory"
    return f"{file} is of another code base ({source.title}). Convert it: `{command(f'convert {file} {own}')}`; {then}."


def checkpoint_bytes(state: Mapping[str, Tensor], meta: Mapping, file_format: str) -> bytes:
    """Content of a checkpoint file; the same weights give the same bytes.

    Args:
        state (Mapping[str, Tensor]): parameters and buffers by name.
        meta (Mapping): what the weights belong to: ``cfg``, ``dataset_meta`` and more.
        file_format (str): one of ``FORMATS``.

    Raises:
        FormatError: another format, or ``meta`` holds what ``.safetensors`` can't.
    """
    # A view would take its whole storage along, and shared memory has no place in .safetensors.
    state = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in state.items()}
    if file_format == "safetensors":
        return safetensors_bytes(state, meta)
    if file_format != "pth":
        raise FormatError(f"A checkpoint's name ends in .{' or .'.join(FORMATS)}, got .{file_format}.")
    stream = io.BytesIO()
    torch.save({"state_dict": state, "meta": dict(meta)}, stream)
    return stream.getvalue()


def write_checkpoint(path: str | Path, state: Mapping[str, Tensor], meta: Mapping) -> None:
    """Write a checkpoint in the format that the file's ending says.

    Raises:
        FormatError: another ending.
        OSError: the file can't be written.
    """
    write_atomically(path, checkpoint_bytes(state, meta, Path(path).suffix[1:]))
