"""From a user's images to pairs, pictures and JSON."""

from .inferencer import HOIInferencer

__all__ = ["HOIInferencer"]
