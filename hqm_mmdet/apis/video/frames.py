"""Frames of a video, in and out, one at a time."""

import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from mmengine.logging import print_log

from hqm_mmdet.apis.inference.sources import InputError
from hqm_mmdet_cli.checks import require_writable

CODECS = {".mp4": "mp4v", ".m4v": "mp4v", ".mov": "mp4v", ".avi": "MJPG", ".mkv": "mp4v"}
DEFAULT_FPS = 25.0  # of files that do not tell
COMPLETE = 0.95  # share of the announced frames; headers estimate


class VideoReader:
    """Reads frames as they are asked for; turned upright where the file says so (OpenCV's default).

    Args:
        path (str | Path): a file that OpenCV can decode.

    Raises:
        InputError: it does not exist or can't be decoded.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        if not self.path.is_file():
            raise InputError(f"Video {path} does not exist.")
        self._capture = cv2.VideoCapture(str(path))
        # OpenCV opens many a file that it can't decode; only a first frame proves that it can.
        opened, self._first = self._capture.read()
        if not opened:
            raise InputError(
                f"Video {path} can't be decoded: it is damaged, no video, or of a codec that OpenCV lacks."
            )
        self.fps = self._capture.get(cv2.CAP_PROP_FPS) or DEFAULT_FPS
        self.announced = max(0, int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)))  # by the file's header

    def __len__(self) -> int:
        """Frames that the file's header announces; 0 if it does not."""
        return self.announced

    def __iter__(self) -> Iterator[np.ndarray]:
        """(H, W, 3) uint8 BGR frames, once; a file that breaks off early gets a warning."""
        (frame, self._first), count = (self._first, None), 0
        while frame is not None:
            yield frame
            count += 1
            frame = self._capture.read()[1]
        self._capture.release()
        if count < COMPLETE * self.announced:
            message = f"Video {self.path} breaks off after {count} of {self.announced} frames; is it complete?"
            print_log(message, "current", logging.WARNING)


class VideoWriter:
    """Writes frames of equal size; a context manager, which looks at the end whether all of them are in the file.

    Args:
        path (str | Path): ``.mp4``, ``.avi`` or another of :data:`CODECS`; its folder is made.
        fps (float): frames per second.

    Raises:
        InputError: an ending without codec.
        OSError: on leaving, frames are missing in the file.
    """

    def __init__(self, path: str | Path, fps: float):
        self.path = Path(path)
        if self.path.suffix.lower() not in CODECS:
            raise InputError(f"Video {path} can't be written; the ending must be one of {', '.join(CODECS)}.")
        self.fps = float(Fraction(fps).limit_denominator(1001))  # MPEG-4 refuses finer time bases
        self._writer: cv2.VideoWriter | None = None
        self._count = 0

    def __enter__(self) -> "VideoWriter":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return self

    def write(self, frame: np.ndarray) -> None:
        """Append a frame, (H, W, 3) uint8 RGB; odd sides lose their last row or column, which codecs want even.

        Raises:
            OSError: OpenCV can't write this file.
        """
        height, width = (side - side % 2 for side in frame.shape[:2])
        if self._writer is None:
            codec = cv2.VideoWriter_fourcc(*CODECS[self.path.suffix.lower()])
            self._writer = cv2.VideoWriter(str(self.path), codec, self.fps, (width, height))
            if not self._writer.isOpened():
                require_writable(self.path)
                raise OSError(f"Video {self.path} can't be written: this OpenCV lacks the codec. Try the ending .avi.")
        self._writer.write(np.ascontiguousarray(frame[:height, :width, ::-1]))
        self._count += 1

    def __exit__(self, *exception) -> None:
        if self._writer is not None:
            self._writer.release()
            if exception[:1] == (None,):
                self._require_complete()

    def _require_complete(self) -> None:
        """OpenCV says nothing of frames that found no place, and a header may promise them; so they are read."""
        found = sum(1 for _ in iter(cv2.VideoCapture(str(self.path)).grab, False))
        if found < self._count:
            raise OSError(
                f"Video {self.path} is incomplete: {found} of {self._count} frames can be read. Mostly the disk is "
                "full: free some space, or write elsewhere."
            )
