"""The same for videos: frames in and out, and pairs that stay the same from frame to frame."""

from .predict_video import predict_video

__all__ = ["predict_video"]
