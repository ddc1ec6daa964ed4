"""Helpers without a room of their own: files, resuming, processes."""

from .atomic_io import AtomicBackend, remove_incomplete, write_atomically
from .find_checkpoint import find_latest_checkpoint

__all__ = ["AtomicBackend", "find_latest_checkpoint", "remove_incomplete", "write_atomically"]
