"""The demo page: an image in, pairs out. Only ``page`` and ``serving`` need gradio; they are imported on demand."""

from .session import DemoSession, SeenImage, ShownImage
from .uploads import UploadError, UploadLimits, read_upload

__all__ = ["DemoSession", "SeenImage", "ShownImage", "UploadError", "UploadLimits", "read_upload"]
