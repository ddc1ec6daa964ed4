"""What scripts and notebooks call. Only ``demo``, the command line and ``tools`` import this room."""

from .build import build_model, init_model
from .inference import HOIInferencer
from .video import predict_video

__all__ = ["HOIInferencer", "build_model", "init_model", "predict_video"]
