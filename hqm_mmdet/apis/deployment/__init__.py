"""Detectors that leave the project: published checkpoints, ONNX files."""

from .export import ExportError, export_onnx
from .publish import Published, publish_checkpoint

__all__ = ["ExportError", "Published", "export_onnx", "publish_checkpoint"]
