"""Reading checkpoints without running code that they may hold, whatever torch and mmengine do by default."""

import pickle
import re
import types

import torch

from hqm_mmdet.errors import UserError

from .safetensors_io import read_safetensors

TORCH_VERSION = tuple(int(number) for number in torch.__version__.split(".")[:2])


class CheckpointError(UserError, RuntimeError):
    """A checkpoint file that can't be used: damaged, wanting to run code, or not fitting the model."""


def trusted_globals() -> list:
    """What checkpoints hold besides tensors and plain containers.

    Log buffers of mmengine's message hub (``HistoryBuffer``) with their NumPy arrays, and the ``argparse.Namespace`` of
    settings that DETR-style code bases store; nothing here runs code on loading. The buffers refer to their own methods
    by ``getattr``, for which a function stands in that knows nothing else.

    Returns:
        list: objects, or pairs (object, name under which files know it).
    """
    import argparse

    import numpy as np
    from mmengine.logging import HistoryBuffer

    # Asked of values, because NumPy 1 and 2 keep these functions and classes in different places.
    scalars = [np.float64(0), np.float32(0), np.int64(0), np.int32(0), np.uint8(0), np.bool_(False), np.array([])]
    reconstruct = {s.__reduce__()[0] for s in scalars}
    # Checkpoints pickled by the other major version of NumPy name the same functions by another path.
    renamed = [
        (function, f"numpy.{core}.multiarray.{function.__name__}")
        for function in reconstruct
        for core in ("core", "_core")
    ]
    dtypes = {type(s.dtype) for s in scalars}
    statistics = (_statistics_method, "builtins.getattr")
    return [argparse.Namespace, HistoryBuffer, statistics, np.ndarray, np.dtype, *dtypes, *reconstruct, *renamed]


def _statistics_method(owner: type, name: str):
    from mmengine.logging import HistoryBuffer

    # `getattr` itself would reach any attribute of any trusted class.
    if owner is not HistoryBuffer or name.startswith("_"):
        raise pickle.UnpicklingError(f"Unsupported global: GLOBAL getattr({owner},{name!r})")
    return getattr(HistoryBuffer, name)


def _plain_globals() -> dict[str, object]:
    """What torch itself needs to rebuild tensors, by name; for :class:`_TrustingUnpickler` only."""
    import codecs
    import collections

    names = ["Size", "device", *(n for n, v in vars(torch).items() if isinstance(v, torch.dtype))]
    plain = {f"torch.{name}": getattr(torch, name) for name in names}
    rebuild = ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_parameter")
    plain |= {f"torch._utils.{name}": getattr(torch._utils, name) for name in rebuild}
    plain |= {f"collections.{name}": getattr(collections, name) for name in ("OrderedDict", "defaultdict", "Counter")}
    plain |= {"builtins.set": set, "builtins.slice": slice, "builtins.complex": complex}
    return plain | {"_codecs.encode": codecs.encode}


class _TrustingUnpickler(pickle.Unpickler):
    """Unpickler that knows :func:`trusted_globals` and tensors, and refuses everything else."""

    def find_class(self, module: str, name: str):
        """The object behind a global name of the file."""
        module = {"__builtin__": "builtins"}.get(module, module)  # as Python 2 and pickle's protocol 2 say
        pairs = [entry if isinstance(entry, tuple) else (entry, _full_name(entry)) for entry in trusted_globals()]
        known = _plain_globals() | {alias: value for value, alias in pairs}
        # A list of what is allowed: one of what is forbidden would never be complete.
        if f"{module}.{name}" not in known:
            raise pickle.UnpicklingError(f"Unsupported global: GLOBAL {module}.{name}")
        return known[f"{module}.{name}"]


def _full_name(value) -> str:
    return f"{value.__module__}.{value.__qualname__}"


def _load_with_own_unpickler(file, map_location):
    """For torch < 2.6, whose ``weights_only`` can't be taught what mmengine's checkpoints hold."""

    def load(stream, **kwargs):
        return _TrustingUnpickler(stream, **kwargs).load()

    rules = types.SimpleNamespace(Unpickler=_TrustingUnpickler, load=load, __name__="trusting_pickle")
    return torch.load(file, map_location=map_location, pickle_module=rules, weights_only=False)


def _load_weights_only(file, map_location, **options):
    with torch.serialization.safe_globals(trusted_globals()):
        return torch.load(file, map_location=map_location, weights_only=True, **options)


def load_untrusted(file, map_location=None, **options):
    """Read a checkpoint file without running code that it may hold.

    Args:
        file (str | Path | file object): a ``.pth`` file, or a ``.safetensors`` path.
        map_location: as in :func:`torch.load`.
        **options: more arguments of :func:`torch.load`, e.g. ``mmap=True``.

    Returns:
        dict: the checkpoint.

    Raises:
        FileNotFoundError: no such file.
        CheckpointError: the file wants to run code on loading, is damaged, or is no checkpoint.
    """
    name = str(getattr(file, "name", file))
    try:
        if name.endswith(".safetensors"):
            return read_safetensors(file)
        if TORCH_VERSION >= (2, 6):
            return _load_weights_only(file, map_location, **options)
        return _load_with_own_unpickler(file, map_location)
    except FileNotFoundError:
        raise FileNotFoundError(f"Checkpoint {name} does not exist. Give the path of a local file.") from None
    # Damaged bytes make the unpickler raise whatever they spell.
    except Exception as error:
        raise CheckpointError(f"Checkpoint {name} was not loaded: {_reason(error)}") from error


def load_trusted(file, map_location=None) -> dict:
    """Read a checkpoint with unrestricted unpickling: **the file can run any code** as the user who reads it.

    Only for files whose author you trust, and only on demand (``hqm-mmdet convert --trust``); nothing else calls it.

    Raises:
        FileNotFoundError: no such file.
        CheckpointError: the file is damaged, is no checkpoint, or needs modules that are not there.
    """
    if str(file).endswith(".safetensors"):
        return load_untrusted(file, map_location)
    try:
        return torch.load(file, map_location=map_location, weights_only=False)
    except FileNotFoundError:
        raise FileNotFoundError(f"Checkpoint {file} does not exist. Give the path of a local file.") from None
    except Exception as error:
        raise CheckpointError(f"Checkpoint {file} was not loaded: {type(error).__name__}: {error}") from error


def _reason(error: Exception) -> str:
    """Why a file was not loaded, and what to do, from torch's longer story."""
    story = str(error)
    asked = re.search(r"GLOBAL ([^\s`]+)", story) or re.search(r"(Trying to [^\n]*)", story)
    if asked:
        return (
            f"it asks for `{asked[1]}`, which could run code, and is refused. If you trust who made the file, "
            "`hqm-mmdet convert --trust` reads it, or re-save its weights as `torch.save({'state_dict': ...}, FILE)` "
            "where it was made."
        )
    detail = story.split("WeightsUnpickler error:")[-1].strip().split("\n")[0]
    kind = "it is damaged, incomplete or no checkpoint"
    if isinstance(error, pickle.UnpicklingError):
        kind += ", or holds more than tensors and plain values, which is refused"
    return f"{kind} ({type(error).__name__}: {detail}). Copy it again."
