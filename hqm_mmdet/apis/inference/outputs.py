"""A folder that predictions go to: pictures and one JSON file."""

import json
import os
from contextlib import ExitStack
from pathlib import Path

from hqm_mmdet.utils.atomic_io import naming
from hqm_mmdet.utils.inside import path_inside

from .prediction import Prediction
from .sources import InputError
from .triplets import TripletFile

PREDICTIONS, PICTURES = "predictions.json", "pictures"


class PredictionFile:
    """A JSON list that grows without being held in memory; a context manager.

    It appears under its name when it is complete; a run that breaks off leaves what it has, closed properly. What an
    earlier run has written stays, but for the images that are predicted again, as their pictures are replaced, too.

    Args:
        path (str | Path): of the file; its folder is made.

    Raises:
        InputError: there is a file of that name that holds something else.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self._part = self.path.with_name(self.path.name + ".part")
        self._empty = True
        self._names: set[str] = set()

    def __enter__(self) -> "PredictionFile":
        self._former = former_entries(self.path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._stream = open(self._part, "w", encoding="utf-8")  # noqa: SIM115  closed in __exit__
        self._stream.write("[")
        return self

    def write(self, entry: dict) -> None:
        """Append an entry.

        Raises:
            OSError: the file can't be written; the message names it.
        """
        self._names.add(entry.get("file_name"))
        with naming(self.path):
            self._stream.write("\n" if self._empty else ",\n")
            self._stream.write(json.dumps(entry))
        self._empty = False

    def __exit__(self, *exception) -> None:
        names = frozenset(self._names)
        for entry in self._former:
            if entry["file_name"] not in names:
                self.write(entry)
        # Also after an error: what is there can be read as JSON.
        with naming(self.path):
            self._stream.write("\n]\n")
            self._stream.close()
            os.replace(self._part, self.path)


def former_entries(path: Path) -> list[dict]:
    """Entries that an earlier run has written; none if there is no file.

    Raises:
        InputError: the file holds something else.
    """
    if not path.is_file():
        return []
    try:
        entries = json.loads(path.read_bytes())
    except ValueError:
        entries = None
    if not isinstance(entries, list) or not all(isinstance(each, dict) and "file_name" in each for each in entries):
        raise InputError(f"{path} is no list of predictions, to which more could be added. Name another folder.")
    return entries


class OutputFolder:
    """Where the results of a run go; a context manager.

    Args:
        folder (str | Path, optional): gets ``predictions.json`` and ``pictures/``. None: nothing is written.
        pictures, entries (bool): whether pictures, whether the JSON file. Default: True.
        table (str | Path, optional): CSV file that gets a row per triplet, wherever it lies.
    """

    def __init__(
        self,
        folder: str | Path | None,
        pictures: bool = True,
        entries: bool = True,
        table: str | Path | None = None,
    ):
        self.folder = Path(folder) if folder else None
        self.pictures = pictures and self.folder is not None
        file = PredictionFile(self.folder / PREDICTIONS) if entries and self.folder is not None else None
        self._files = [each for each in (file, TripletFile(table) if table else None) if each is not None]

    def __enter__(self) -> "OutputFolder":
        with ExitStack() as stack:
            for file in self._files:
                stack.enter_context(file)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception) -> None:
        self._stack.__exit__(*exception)

    def write(self, entry: dict) -> None:
        """Append an entry to the JSON file, and its rows to the table."""
        for file in self._files:
            file.write(entry)

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
