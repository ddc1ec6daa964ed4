"""Helpers without a room of their own: files, resuming, processes."""

from .atomic_io import AtomicBackend, remove_incomplete, write_atomically
from .find_checkpoint import find_latest_checkpoint

__all__ = ["AtomicBackend", "find_latest_checkpoint", "register_all_modules", "remove_incomplete", "write_atomically"]


def register_all_modules(init_default_scope: bool = True) -> None:
    """What mmengine's ``get_model`` calls. Importing the package has registered everything already.

    Args:
        init_default_scope (bool): make ``hqm_mmdet`` the default scope. Default: True.
    """
    if init_default_scope:
        from mmengine.registry import init_default_scope as make_default

        make_default("hqm_mmdet")
