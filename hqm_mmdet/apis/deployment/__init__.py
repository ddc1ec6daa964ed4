"""Detectors that leave the project: published checkpoints, ONNX files.

Reading order of ONNX: export.py, graph.py, image_to_pairs.py, pair_graphs.py, graph_nms.py.
"""

from .export import Exported, export_onnx
from .graph import ExportError
from .publish import Published, publish_checkpoint

__all__ = ["ExportError", "Exported", "Published", "export_onnx", "publish_checkpoint"]
