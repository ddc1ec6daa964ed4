"""What scripts and notebooks call. Nothing in the package imports this room."""

from .build import build_model, init_model

__all__ = ["build_model", "init_model"]
