"""Uploaded files until they are read: each has a folder of its own, and all together have a limit."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .uploads import MEGA, UploadError


class UploadStore:
    """Files on the disk that visitors have sent and the demo has not read.

    A path names one request's file: the same picture, sent twice under one name, lies in two places, so that who reads
    one takes nobody else's away.

    Args:
        folder (str | Path): where they lie; nothing else may.
        limit (int): bytes of all files together, those that are on their way included.
    """

    def __init__(self, folder: str | Path, limit: int):
        self.folder = Path(folder).resolve()
        self.limit = limit
        self._arriving: dict[Path, int] = {}

    @contextmanager
    def reserve(self, size: int) -> Iterator[Path]:
        """A new folder for an upload of that many bytes; it vanishes if the upload breaks off.

        Raises:
            UploadError: there is no room now.
        """
        if sum(self._arriving.values()) + self._stored() + size > self.limit:
            raise UploadError(
                f"Too many images wait: {self.limit / MEGA:g} MB are stored at most. Try again in some minutes."
            )
        place = self.folder / secrets.token_hex(16)
        place.mkdir(parents=True)
        self._arriving[place] = size
        try:
            yield place
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        finally:
            del self._arriving[place]

    def take(self, path: str | Path) -> bytes:
        """Content of an upload, which is removed.

        Raises:
            UploadError: the path leads to no upload, or to one that is gone.
        """
        file = Path(path).resolve()  # a forged request names what it likes
        if self.folder not in file.parents:
            raise UploadError("This is no upload.")
        try:
            content = file.read_bytes()
        except OSError as error:
            raise UploadError("The upload is no longer there. Drop the image again.") from error
        shutil.rmtree(self.folder / file.relative_to(self.folder).parts[0], ignore_errors=True)
        return content

    def _stored(self) -> int:
        """Bytes of complete uploads; those on their way are counted by what they announced."""
        return sum(map(_size, self.folder.glob("*/*/*"))) if self.folder.is_dir() else 0


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:  # read by its owner meanwhile
        return 0
