"""What can be known to be wrong before anything is imported: files that are not there or can't be written."""

import glob
import os
from collections.abc import Iterable
from pathlib import Path

from .errors import UsageError
from .project_files import find_config

INCOMPLETE = ".incomplete"  # ending of files that are being written


def require_config(config: str | None, cfg_options: tuple[str, ...] = ()) -> None:
    """A config, if one is given, is a file here or one of the project's; only then can options change it.

    Raises:
        FileNotFoundError: there is no such config; the message names the nearest one.
        UsageError: changes without a config.
    """
    if config is not None:
        find_config(config)
    elif cfg_options:
        raise UsageError("--cfg-options changes the file that --config names, and none is given.")


def require_checkpoint(path: str | None) -> None:
    """Raise a FileNotFoundError, before data sets are read, if a local checkpoint is missing."""
    if path is not None and "://" not in path and not os.path.isfile(os.path.expanduser(path)):
        raise FileNotFoundError(
            f"Checkpoint {path} does not exist (looked from {os.getcwd()}). Give the path of a .pth file; nothing is "
            "downloaded."
        )


def require_files(*paths: str | None, folders: bool = False) -> None:
    """Raise a FileNotFoundError if a file (where ``folders``, a folder too) is missing; None is passed over.

    Readers of JSON take ``x.json.gz`` for ``x.json``.
    """
    for path in paths:
        if path is None or os.path.isfile(path) or os.path.isfile(f"{path}.gz") or (folders and os.path.isdir(path)):
            continue
        other = f"nor does {path}.gz; " if path.endswith(".json") else ""
        kind = "is a folder, not a file" if os.path.isdir(path) else "does not exist"
        raise FileNotFoundError(f"{path} {kind} ({other}looked from {os.getcwd()}).")


def require_folders(*paths: str | None) -> None:
    """Raise a FileNotFoundError if a folder is missing; None is passed over."""
    for path in paths:
        if path is not None and not os.path.isdir(path):
            what = "is no folder" if os.path.exists(path) else "does not exist"
            raise FileNotFoundError(f"Folder {path} {what} (looked from {os.getcwd()}).")


def require_inputs(inputs: Iterable[str]) -> None:
    """Files, folders and patterns exist; addresses are for the work to judge.

    Raises:
        FileNotFoundError: one does not.
    """
    for path in inputs:
        if "://" in path or os.path.exists(path):
            continue
        if not glob.has_magic(path):
            raise FileNotFoundError(
                f"{path} does not exist (looked from {os.getcwd()}). Give an image, a folder or a pattern."
            )
        if next(glob.iglob(path, recursive=True), None) is None:
            raise FileNotFoundError(f"The pattern {path} fits no image file (looked from {os.getcwd()}).")


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
    require_writable_folder(path.parent, path)


def require_writable_folder(folder: str | Path, told: str | Path | None = None) -> None:
    """The same for a folder that files will go to, and that may have to be made.

    Raises:
        OSError: no permission, or a file where a folder is needed; it names ``told``, by default the folder.
    """
    made = next(place for place in (Path(folder), *Path(folder).parents) if place.exists())
    trial = made / f".{os.getpid()}{INCOMPLETE}"
    try:
        trial.touch()
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror}: nothing can be written there", str(told or folder)) from error
    finally:
        trial.unlink(missing_ok=True) if made.is_dir() else None


def is_checkpoint_name(path: str) -> bool:
    """Whether a name is that of weights rather than of a config."""
    return path.endswith((".pth", ".pt", ".ckpt", ".safetensors"))


def require_order(config: str, checkpoint: str) -> None:
    """Raise a UsageError if the two stand in each other's place."""
    if is_checkpoint_name(config) and checkpoint.endswith(".py"):
        raise UsageError(f"CONFIG comes first, then CHECKPOINT: {checkpoint} {config}")
