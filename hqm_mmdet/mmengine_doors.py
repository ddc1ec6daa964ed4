"""mmengine's doors to checkpoint files: local ones run no code, and our own loading never leaves the machine."""

import functools
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

import torch

from .safe_loading import load_untrusted

_local_only: ContextVar[bool] = ContextVar("hqm_mmdet_local_only", default=False)


@contextmanager
def local_files_only() -> Iterator[None]:
    """Inside, mmengine reads checkpoints from local files and downloads nothing, whatever the default scope is."""
    token = _local_only.set(True)
    try:
        yield
    finally:
        _local_only.reset(token)


def is_our_loading() -> bool:
    """Whether a checkpoint that mmengine reads now is read for this project.

    That is so inside :func:`local_files_only` (our commands, ``build_model``), and while ``hqm_mmdet`` is the default
    scope, as in every runner of our configs. Otherwise another OpenMMLab package of the process is at work.
    """
    from mmengine.registry import DefaultScope

    scope = DefaultScope.get_current_instance()
    return _local_only.get() or (scope is not None and scope.scope_name == "hqm_mmdet")


def secure_checkpoint_loading() -> None:
    """Route mmengine's checkpoint loading through :func:`~.safe_loading.load_untrusted`.

    mmengine 0.10 calls ``torch.load`` with the default of the installed torch: unrestricted before 2.6, and too strict
    for its own checkpoints since. The onedl fork falls back to unrestricted unpickling. Both are replaced for local
    files, whoever reads them. Addresses are refused in our own loading alone (:func:`is_our_loading`); of
    ``https://``, and of the model zoo names that stand for it (``torchvision://``, ``open-mmlab://``), a copy that
    somebody has downloaded is read.
    """
    import mmengine.runner.checkpoint as checkpoint

    schemes = {
        "": load_from_local,
        ("http://", "https://"): _unless_ours(checkpoint.load_from_http, _load_copy),
        "pavi://": _unless_ours(checkpoint.load_from_pavi, _refuse),
        (r"(\S+\:)?s3://", r"(\S+\:)?petrel://"): _unless_ours(checkpoint.load_from_ceph, _refuse),
    }
    for prefixes, loader in schemes.items():
        checkpoint.CheckpointLoader.register_scheme(prefixes, loader, force=True)
    # The loaders of torchvision://, open-mmlab:// and mmcls:// call this one by its name.
    checkpoint.load_from_http = schemes["http://", "https://"]
    if hasattr(checkpoint, "_safe_torch_load"):  # onedl
        checkpoint._safe_torch_load = functools.wraps(checkpoint._safe_torch_load)(
            lambda file, map_location=None, weights_only=None: load_untrusted(file, map_location)
        )


def _unless_ours(loader: Callable, ours: Callable) -> Callable:
    """mmengine's loader for others, ours for us; under its name, which mmengine logs."""

    @functools.wraps(loader)
    def load(filename, map_location=None, **options):
        return (ours if is_our_loading() else loader)(filename, map_location, **options)

    return load


def load_from_local(filename, map_location=None):
    """What mmengine reads of a local file, under the name that mmengine's loader has in its log."""
    return _read(os.path.expanduser(filename), map_location)


def _read(filename, map_location):
    content = load_untrusted(filename, map_location)
    if isinstance(content, Mapping) and isinstance(content.get("meta"), dict):
        # On resuming, mmengine runs this text as Python. It is a leftover of mmcv 1, to compare numbers of GPUs.
        content["meta"].pop("config", None)
    return content


def _load_copy(filename, map_location=None, model_dir: str | None = None, progress: bool = True):
    return _read(_local_copy(filename, model_dir), map_location)


def _local_copy(address: str, model_dir: str | None) -> str:
    """Where a download of ``address`` lies, if someone made it."""
    folder = torch.hub.get_dir() if model_dir is None else model_dir
    path = os.path.join(folder, "checkpoints", os.path.basename(address))
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"{address} is an address; nothing is downloaded at run time. Fetch it yourself and give the local path "
            f"instead, or put it at {path}."
        )
    return path


def _refuse(filename, map_location=None, **options):
    raise FileNotFoundError(f"{filename} is not a local file; copy it and give the local path.")
