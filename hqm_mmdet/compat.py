"""The only place that knows of OpenMMLab's version quirks.

Imported before anything else of the package. It checks that one working stack is installed, makes
mmdet importable without compiled ops, and makes checkpoint loading refuse code on every stack.

Two stacks are supported; both own the import names ``mmdet``, ``mmengine`` and ``mmcv``, so an
environment holds exactly one of them:

* default: mmdet 3.3.0, mmengine 0.10.x, mmcv-lite 2.1.0 (or mmcv 2.1.0 with compiled ops);
* onedl: the maintained forks onedl-mmdetection, onedl-mmengine, onedl-mmcv.
"""

import functools
import importlib.metadata
import importlib.util
import sys
import types

import torch

DEFAULT_STACK = ("mmdet", "mmengine", ("mmcv-lite", "mmcv"))
ONEDL_STACK = ("onedl-mmdetection", "onedl-mmengine", ("onedl-mmcv",))
INSTALL_HINT = (
    "Install one stack into a fresh environment: "
    "`pip install 'torch>=2.1' 'setuptools<82' mmdet==3.3.0 mmengine==0.10.7 mmcv-lite==2.1.0`, or the forks "
    "`pip install 'torch>=2.1' onedl-mmdetection onedl-mmengine onedl-mmcv`. See README, Installation."
)


def installed_version(name: str) -> str | None:
    """Version of an installed distribution, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def check_stack() -> str:
    """Name of the installed OpenMMLab stack, ``'default'`` or ``'onedl'``.

    Raises:
        ImportError: no stack, an incomplete one, or both at once; the message says what to install.
    """
    found = {}
    for stack, names in (("default", DEFAULT_STACK), ("onedl", ONEDL_STACK)):
        versions = [
            next(filter(None, map(installed_version, (n,) if isinstance(n, str) else n)), None) for n in names
        ]
        if any(versions):
            found[stack] = dict(zip(("mmdet", "mmengine", "mmcv"), versions, strict=True))
    if len(found) != 1:
        state = "no OpenMMLab stack is" if not found else f"two OpenMMLab stacks are ({found})"
        raise ImportError(f"hqm_mmdet: {state} installed. {INSTALL_HINT}")
    stack, versions = found.popitem()
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        raise ImportError(f"hqm_mmdet: {', '.join(missing)} of the {stack} stack not installed. {INSTALL_HINT}")
    if stack == "default" and not versions["mmdet"].startswith("3."):
        raise ImportError(f"hqm_mmdet: needs mmdet 3.x, found {versions['mmdet']}. {INSTALL_HINT}")
    return stack


class _MissingOps(types.ModuleType):
    """Stands in for ``mmcv._ext``: importable, every op raises when called."""

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)

        def missing_op(*args, **kwargs):
            raise NotImplementedError(
                f"The compiled op `{name}` of mmcv was called, but this mmcv holds no compiled ops. hqm_mmdet's own "
                "models need none; for mmdet models that do, install `mmcv` with ops for your torch and CUDA version."
            )

        return missing_op


def provide_missing_ops() -> bool:
    """Put a placeholder in place of a missing ``mmcv._ext``; True if one was needed.

    mmdet imports mmcv's op wrappers at import time, whether or not a model uses them.
    """
    if "mmcv._ext" in sys.modules or importlib.util.find_spec("mmcv._ext") is not None:
        return isinstance(sys.modules.get("mmcv._ext"), _MissingOps)
    sys.modules["mmcv._ext"] = _MissingOps("mmcv._ext", "Placeholder for mmcv's compiled ops.")
    return True


def trusted_globals() -> list:
    """What an mmengine checkpoint holds besides tensors and plain containers.

    Log buffers of the message hub (``HistoryBuffer``) with their NumPy arrays; nothing here runs code on loading.
    """
    import numpy as np
    from mmengine.logging import HistoryBuffer

    scalars = [np.float64(0), np.float32(0), np.int64(0), np.int32(0), np.bool_(False), np.array([])]
    reconstruct = {s.__reduce__()[0] for s in scalars}
    # Checkpoints pickled by the other major version of NumPy name the same functions by another path.
    renamed = [
        (function, f"numpy.{core}.multiarray.{function.__name__}")
        for function in reconstruct
        for core in ("core", "_core")
    ]
    return [HistoryBuffer, np.ndarray, np.dtype, *{type(s.dtype) for s in scalars}, *reconstruct, *renamed]


def load_untrusted(file, map_location=None):
    """Read a checkpoint file without running code that it may hold.

    Args:
        file (str | Path | file object): a ``.pth`` file, or a ``.safetensors`` path.
        map_location: as in :func:`torch.load`.

    Returns:
        dict: the checkpoint.

    Raises:
        FileNotFoundError: no such file.
        RuntimeError: the file wants to run code on loading, is damaged, or is no checkpoint.
    """
    name = getattr(file, "name", file)
    if str(name).endswith(".safetensors"):
        from safetensors.torch import load_file

        return {"state_dict": load_file(file)}
    try:
        with torch.serialization.safe_globals(trusted_globals()):
            return torch.load(file, map_location=map_location, weights_only=True)
    except FileNotFoundError:
        raise
    except Exception as error:
        raise RuntimeError(
            f"Checkpoint {name} was not loaded: {_first_line(error)}\n"
            "Either the file is damaged or incomplete, or it asks to run code on loading, which is refused. "
            "Download or copy it again; for an old file that you trust, re-save its weights with "
            "`torch.save({'state_dict': ...}, FILE)` where it was made."
        ) from error


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"


def secure_checkpoint_loading() -> None:
    """Route all of mmengine's checkpoint loading through :func:`load_untrusted`.

    mmengine 0.10 calls ``torch.load`` with the default of the installed torch: unrestricted before 2.6, and too strict
    for its own checkpoints since. The onedl fork falls back to unrestricted unpickling. Both are replaced.
    """
    import os.path as osp

    import mmengine.runner.checkpoint as checkpoint
    from mmengine.runner import CheckpointLoader

    def load_from_local(filename, map_location=None):
        path = osp.expanduser(filename)
        if not osp.isfile(path):
            raise FileNotFoundError(
                f"Checkpoint {filename} does not exist. Give the path of a local .pth or .safetensors file; "
                "nothing is downloaded."
            )
        return load_untrusted(path, map_location)

    def load_from_http(filename, map_location=None, model_dir=None, progress=True):
        path = torch.hub.get_dir() if model_dir is None else model_dir
        path = osp.join(path, "checkpoints", osp.basename(filename))
        if not osp.exists(path):
            raise FileNotFoundError(
                f"{filename} is an address; nothing is downloaded at run time. Fetch the file and give its local path."
            )
        return load_untrusted(path, map_location)

    CheckpointLoader.register_scheme("", load_from_local, force=True)
    CheckpointLoader.register_scheme(("http://", "https://"), load_from_http, force=True)
    if hasattr(checkpoint, "_safe_torch_load"):
        checkpoint._safe_torch_load = functools.wraps(checkpoint._safe_torch_load)(
            lambda file, map_location=None, weights_only=None: load_untrusted(file, map_location)
        )


def setup() -> str:
    """Apply everything; returns the name of the stack."""
    stack = check_stack()
    provide_missing_ops()
    secure_checkpoint_loading()
    return stack
