"""A folder that predictions go to: pictures and one JSON file."""

import json
import os
from pathlib import Path

from hqm_mmdet.utils.inside import path_inside

from .prediction import Prediction

PREDICTIONS, PICTURES = "predictions.json", "pictures"


class PredictionFile:
    """A JSON list that grows without being held in memory; a context manager.

    It appears under its name when it is complete; a run that breaks off leaves what it has, closed properly.

    Args:
        path (str | Path): of the file; its folder is made.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self._part = self.path.with_name(self.path.name + ".part")
        self._empty = True

    def __enter__(self) -> "PredictionFile":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._stream = open(self._part, "w", encoding="utf-8")  # noqa: SIM115  closed in __exit__
        self._stream.write("[")
        return self

    def write(self, entry: dict) -> None:
        """Append an entry."""
        self._stream.write("\n" if self._empty else ",\n")
        self._stream.write(json.dumps(entry))
        self._empty = False

    def __exit__(self, *exception) -> None:
        # Also after an error: what is there can be read as JSON.
        self._stream.write("\n]\n")
        self._stream.close()
        os.replace(self._part, self.path)


class OutputFolder:
    """Where the results of a run go; a context manager.

    Args:
        folder (str | Path, optional): gets ``predictions.json`` and ``pictures/``. None: nothing is written.
        pictures, entries (bool): whether pictures, whether the JSON file. Default: True.
    """

    def __init__(self, folder: str | Path | None, pictures: bool = True, entries: bool = True):
        self.folder = Path(folder) if folder else None
        self.pictures = pictures and self.folder is not None
        self._file = PredictionFile(self.folder / PREDICTIONS) if entries and self.folder is not None else None

    def __enter__(self) -> "OutputFolder":
        if self._file is not None:
            self._file.__enter__()
        return self

    def __exit__(self, *exception) -> None:
        if self._file is not None:
            self._file.__exit__(*exception)

    def write(self, entry: dict) -> None:
        """Append an entry to the JSON file."""
        if self._file is not None:
            self._file.write(entry)

    def picture_of(self, prediction: Prediction) -> Path | None:
        """File for the picture of an image, None if there is to be none.

        Raises:
            OSError: the image's name leads out of the folder.
        """
        if not self.pictures:
            return None
        path = path_inside(self.folder / PICTURES, prediction.picture_name)
        if path is None:
            raise OSError(f"Picture {prediction.picture_name!r} would not lie in {self.folder / PICTURES}.")
        return path
