"""Files that are either complete or absent, whatever moment the process dies at."""

import os
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

INCOMPLETE = ".incomplete"


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


def require_writable(path: str | Path) -> None:
    """Find out, before the work, that a file could not be written after it; nothing stays of the trial.

    Raises:
        OSError: no permission, a folder of that name, a file where a folder is needed, no space for a name.
    """
    if "\0" in str(path):
        raise OSError(22, "no name of a file", str(path).replace("\0", "\\0"))
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(21, "a folder of this name is in the place of the file", str(path))
    made = next(place for place in (path.parent, *path.parent.parents) if place.exists())
    trial = made / f".{os.getpid()}{INCOMPLETE}"
    try:
        trial.touch()
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror}: nothing can be written there", str(path)) from error
    finally:
        trial.unlink(missing_ok=True) if made.is_dir() else None


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
