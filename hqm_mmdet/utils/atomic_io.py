"""Files that are either complete or absent, whatever moment the process dies at."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from hqm_mmdet_cli.checks import INCOMPLETE


@contextmanager
def naming(path: str | Path) -> Iterator[None]:
    """Give errors of writing a stream, which name no file, the name of theirs."""
    try:
        yield
    except OSError as error:
        if error.filename is not None:
            raise
        raise OSError(error.errno, f"{error.strerror} while writing", str(path)) from error


def write_atomically(path: str | Path, data: bytes) -> None:
    """Write a whole file: first beside its place, onto the disk, then renamed into place.

    Args:
        path (str | Path): the file; its folder is made. An older file stays untouched until the new one is complete.
        data (bytes): the content.

    Raises:
        OSError: the file can't be written (disk full, no permission); the message names it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder: a rename is atomic within one file system only.
    temporary = path.with_name(path.name + INCOMPLETE)
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            # Else a power cut after the rename could leave the new name with no content.
            os.fsync(file.fileno())
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OSError(error.errno, f"{error.strerror} while writing", str(path)) from error
    os.replace(temporary, path)
    _sync_folder(path.parent)


def move_into_place(temporary: str | Path, path: str | Path) -> None:
    """Give a complete file its name, when its content is on the disk.

    Args:
        temporary (str | Path): the file, in the folder of ``path``.
        path (str | Path): its name from now on; an older file is replaced.
    """
    with open(temporary, "rb") as file:
        os.fsync(file.fileno())
    os.replace(temporary, path)
    _sync_folder(Path(path).parent)


def _sync_folder(folder: Path) -> None:
    """Bring a rename onto the disk; systems that can't open folders (Windows) do without."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_incomplete(folder: str | Path) -> list[Path]:
    """Delete what a killed process left half written.

    Returns:
        list[Path]: the deleted files.
    """
    leftovers = sorted(Path(folder).glob(f"*{INCOMPLETE}"))
    for file in leftovers:
        file.unlink(missing_ok=True)
    return leftovers


class AtomicBackend(LocalBackend):
    """mmengine's local file backend with atomic writes; ``backend_args=dict(backend='atomic')``."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes."""
        write_atomically(filepath, obj)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = "utf-8") -> None:
        """Write text."""
        write_atomically(filepath, obj.encode(encoding))


register_backend("atomic", AtomicBackend, force=True)
