"""Names out of files as paths: never out of the folder that they belong to."""

import os
from pathlib import Path

OUTSIDE = "file_name leads out of the image folder"


def path_inside(folder: str | Path, name: str) -> Path | None:
    """Where a name from an annotation or prediction file leads, or None if that is not below the folder.

    Such files come from strangers: an absolute name, or one with ``..`` in front, would read (and, in a page that is
    mailed, publish) any file of the machine. Links that lie in the folder are its owner's and are followed. An absolute
    name is right if it leads into the folder.

    Args:
        folder (str | Path): of the images.
        name (str): as in the file.

    >>> path_inside("images", "val/../train/a.jpg")
    PosixPath('images/train/a.jpg')
    >>> path_inside("images", "../private.jpg") is path_inside("images", "/private.jpg") is None
    True
    """
    # Normalised, so that no `..` behind a link leads elsewhere than it reads.
    inner = os.path.normpath(name)
    if os.path.isabs(inner):
        inner = os.path.relpath(inner, os.path.abspath(folder))
    if not name or "\0" in name or os.path.splitdrive(inner)[0] or inner in (".", ".."):
        return None
    return None if inner.startswith(".." + os.sep) else Path(folder, inner)
