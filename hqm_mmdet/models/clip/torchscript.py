"""Weights out of a TorchScript archive, without running what it holds."""

import io
import pickle
import zipfile
from pathlib import Path, PurePosixPath

import torch
from torch import Tensor

from hqm_mmdet.safe_loading import CheckpointError


class _Record:
    """Stands for any module of the archive: its attributes, and none of its code."""

    def __setstate__(self, state: dict) -> None:
        self.attributes = state


def _plain(value, *_):
    """Stands for the functions by which TorchScript marks the types of lists."""
    return value


class _WeightsUnpickler(pickle.Unpickler):
    """Knows modules as records, and tensors; refuses everything else."""

    def __init__(self, archive: zipfile.ZipFile, root: str):
        super().__init__(io.BytesIO(archive.read(f"{root}/data.pkl")))
        self.archive, self.root = archive, root

    def find_class(self, module: str, name: str):
        """The object behind a global name of the archive."""
        if module.split(".")[0] == "__torch__":
            return _Record
        if module == "torch.jit._pickle":
            return _plain
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("collections", "OrderedDict"):
            return dict
        if module == "torch" and name.endswith("Storage"):
            return name
        raise pickle.UnpicklingError(f"it asks for `{module}.{name}`, which could run code")

    def persistent_load(self, reference: tuple) -> Tensor:
        """The numbers of a storage, one-dimensional."""
        _, kind, key, *_ = reference
        dtype = _DTYPES[kind]
        data = bytearray(self.archive.read(f"{self.root}/data/{key}"))
        return torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)


_DTYPES = {
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "BoolStorage": torch.bool,
}


def _tensor(storage: Tensor, offset: int, size: tuple, stride: tuple, *_) -> Tensor:
    if not size:  # a view of one number would keep the whole storage
        return storage[offset].clone()
    return storage.as_strided(tuple(size), tuple(stride), offset).clone()


def is_torchscript(path: str | Path) -> bool:
    """Whether a file is an archive of ``torch.jit.save``."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(PurePosixPath(name).parts[1:] == ("constants.pkl",) for name in archive.namelist())


def read_torchscript(path: str | Path) -> dict[str, Tensor]:
    """Parameters and buffers of an archive of ``torch.jit.save``, by name.

    Raises:
        CheckpointError: the archive is damaged, or asks for anything but modules and tensors.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            root = PurePosixPath(archive.namelist()[0]).parts[0]
            module = _WeightsUnpickler(archive, root).load()
        return dict(_tensors(module, ""))
    except Exception as error:  # damaged bytes make zip reader and unpickler raise whatever they spell
        raise CheckpointError(f"{path} was not read as a TorchScript archive: {error}. Copy it again.") from error


def _tensors(record: _Record, prefix: str):
    for name, value in record.attributes.items():
        if isinstance(value, Tensor):
            yield prefix + name, value
        elif isinstance(value, _Record):
            yield from _tensors(value, f"{prefix}{name}.")
