"""Pickles of plain values and arrays, read without running code that they may hold."""

import codecs
import collections
import io
import pickle
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from hqm_mmdet.safe_loading import CheckpointError


def _numpy_globals() -> dict[tuple[str, str], object]:
    """What a pickle needs to rebuild arrays and NumPy scalars, under the paths of NumPy 1 and 2."""
    array = np.zeros(1)
    rebuild = [array.__reduce__()[0], array[0].__reduce__()[0], array.__reduce_ex__(5)[0]]
    known = {
        (module.format(core), function.__name__): function
        for function in rebuild
        for core in ("core", "_core")
        for module in ("numpy.{}.multiarray", "numpy.{}.numeric")
    }
    dtypes = {("numpy.dtypes", type(np.dtype(code)).__name__): type(np.dtype(code)) for code in "?bhilqBHILQefd"}
    plain = {("numpy", "ndarray"): np.ndarray, ("numpy", "dtype"): np.dtype, ("_codecs", "encode"): codecs.encode}
    for module in ("builtins", "__builtin__"):
        plain |= {(module, "set"): set, (module, "bytes"): _no_bytes}
    return {**known, **dtypes, **plain}


def _no_bytes() -> bytes:
    """How protocols up to 2 spell the content of an array without elements; with a length it could fill the memory."""
    return b""


class _PlainUnpickler(pickle.Unpickler):
    """Knows NumPy arrays, and refuses every other object."""

    KNOWN = _numpy_globals()

    def __init__(self, file, stand_ins: Mapping[str, type], **options):
        super().__init__(file, **options)
        self.stand_ins = stand_ins

    def find_class(self, module: str, name: str):
        """The object behind a global name of the file."""
        if name in self.stand_ins:
            return self.stand_ins[name]
        if (module, name) not in self.KNOWN:
            raise pickle.UnpicklingError(f"it asks for `{module}.{name}`, which could run code")
        return self.KNOWN[module, name]


class _TensorUnpickler(_PlainUnpickler):
    """Knows tensors too; their bytes are in turn read as weights only."""

    KNOWN = {
        **_PlainUnpickler.KNOWN,
        ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
        ("torch.storage", "_load_from_bytes"): lambda data: torch.load(io.BytesIO(data), "cpu", weights_only=True),
        ("torch", "Size"): torch.Size,
        ("collections", "OrderedDict"): collections.OrderedDict,
    }


def load_plain_pickle(path: str | Path, tensors: bool = False, stand_ins: Mapping[str, type] | None = None):
    """Content of a pickle of containers, numbers, strings and NumPy arrays, also of Python 2.

    Args:
        path (str | Path): the file.
        tensors (bool): whether tensors may be in it as well; they are put on the CPU. Default: False.
        stand_ins (Mapping[str, type], optional): what is made in place of a class of this name, of whatever module; the
            class itself is never looked for.

    Raises:
        FileNotFoundError: no such file.
        CheckpointError: it holds anything else, or is damaged.
    """
    unpickler = _TensorUnpickler if tensors else _PlainUnpickler
    with open(path, "rb") as file:
        try:
            # latin1 is what NumPy's arrays of Python 2 need: it maps every byte to one character.
            return unpickler(file, stand_ins or {}, encoding="latin1").load()
        except Exception as error:  # damaged bytes make the unpickler raise whatever they spell
            raise CheckpointError(
                f"{path} was not read: {error}. Only plain values and arrays may be in it."
            ) from error
