"""Values out of foreign JSON and NumPy files: what Python would let pass, or stumble over."""

import json
from pathlib import Path

import numpy as np

LARGEST_EXACT = 2**53  # integers beyond are no exact floats, and beyond 2**63 no array's
MALFORMED = (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError)  # what foreign values lead to


def parse_json(text: str | bytes):
    """``json.loads`` with one kind of error.

    Raises:
        ValueError: no JSON, or nested so deeply that Python can't follow.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("lists and dicts are nested too deeply") from None


def require_numbers(values, what: str) -> None:
    """Refuse JSON's ``true`` and ``false``, which Python counts as 1 and 0, at any depth of lists.

    Raises:
        ValueError: there is one.
    """
    if isinstance(values, bool):
        raise ValueError(f"{what} is {str(values).lower()}, no number")
    if isinstance(values, list | tuple):
        for value in values:
            require_numbers(value, what)


def read_npy(path: str | Path) -> np.ndarray:
    """Array of a ``.npy`` file that holds plain numbers; a header can't make it take more memory than the file has.

    Raises:
        FileNotFoundError: no such file.
        ValueError: another format, objects, or a header that announces more than there is.
    """
    try:
        # Mapped, as a header may announce terabytes; a map is never longer than its file.
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise
    except Exception as error:  # damaged bytes raise whatever they spell
        raise ValueError(f"no readable NumPy array ({error})") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        found = "an archive (.npz)" if not isinstance(array, np.ndarray) else f"an array of {array.dtype}"
        raise ValueError(f"{found}, expected one array of numbers")
    return np.array(array)
