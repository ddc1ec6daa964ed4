"""What scripts and notebooks call. Nothing in the package imports this room."""

from .build import build_model, init_model
from .inferencer import HOIInferencer
from .predict_video import predict_video

__all__ = ["HOIInferencer", "build_model", "init_model", "predict_video"]
