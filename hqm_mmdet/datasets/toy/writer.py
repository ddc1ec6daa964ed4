"""The ToyHOI folder: images, HOIA-style annotations, and the manifest last."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
from rich.progress import track

from .manifest import MANIFEST, count, describe, read_counts
from .sample import sample_image
from .scene import SPLITS
from .settings import ToySettings
from .vocabulary import TOY_VALID

_ANNOTATIONS = {"train": "trainval_toy.json", "test": "test_toy.json"}
_TABLE = "corre_toy.npy"


def make_toy_hoi(
    out_dir: str | Path,
    settings: ToySettings | None = None,
    progress: bool = True,
    overwrite: bool = False,
) -> Path:
    """Make the data set, or reuse it if it is there with the same settings.

    The folder then holds ``images/{train,test}/toy_*.png``, ``annotations/trainval_toy.json``,
    ``annotations/test_toy.json``, ``annotations/corre_toy.npy`` (verbs x classes, 0 or 1) and, as
    the mark of completeness, ``toy_hoi.json``. What an interrupted run left behind is redone.

    Args:
        out_dir: folder to fill; made if missing.
        settings: what to make; default settings if None.
        progress: show progress bars.
        overwrite: make everything anew, whatever data set the folder holds.

    Returns:
        ``out_dir``.

    Raises:
        FileExistsError: the folder holds a data set with other settings or vocabulary.
        ValueError: its ``toy_hoi.json`` is damaged.
        OSError: the folder cannot be written.
    """
    out_dir, settings = Path(out_dir), settings or ToySettings()
    if not overwrite and _is_complete(out_dir, read_counts(out_dir, settings)):
        return out_dir
    try:
        _prepare(out_dir)
        _write(out_dir, settings, progress)
    except OSError as error:
        raise OSError(
            f"cannot write the ToyHOI data set to {out_dir} ({error}): free the space it lacks or "
            "choose a folder that can be written"
        ) from error
    return out_dir


def _is_complete(out_dir: Path, counts: dict[str, dict] | None) -> bool:
    """Whether all files are there that the manifest counts."""
    if counts is None:
        return False
    folder = out_dir / "annotations"
    present = all((folder / name).is_file() for name in (*_ANNOTATIONS.values(), _TABLE))
    return present and all(
        len(list((out_dir / "images" / split).glob("toy_*.png"))) == counts[split]["images"] for split in SPLITS
    )


def _prepare(out_dir: Path) -> None:
    """Make the folders and remove what earlier runs left, the manifest first."""
    (out_dir / "annotations").mkdir(parents=True, exist_ok=True)
    (out_dir / MANIFEST).unlink(missing_ok=True)
    for split in SPLITS:
        folder = out_dir / "images" / split
        folder.mkdir(parents=True, exist_ok=True)
        for stale in folder.glob("toy_*.png"):
            stale.unlink()


def _write(out_dir: Path, settings: ToySettings, progress: bool) -> None:
    """Write all files, the manifest last."""
    counts = {}
    for split, number in (("train", settings.num_train), ("test", settings.num_test)):
        entries = []
        for index in track(range(number), f"ToyHOI {split}", disable=not progress):
            image, entry = sample_image(settings, split, index)
            _write_image(out_dir / "images" / split / entry["file_name"], image)
            entries.append(entry)
        _write_json(out_dir / "annotations" / _ANNOTATIONS[split], entries)
        counts[split] = count(entries)
    np.save(out_dir / "annotations" / _TABLE, TOY_VALID.astype(np.float64))
    _write_json(out_dir / MANIFEST, describe(settings, counts), indent=2)


def _write_image(path: Path, image: np.ndarray) -> None:
    """Write an RGB image; unlike ``cv2.imwrite`` this says why a file cannot be written."""
    path.write_bytes(cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1])


def _write_json(path: Path, content: list | dict, indent: int | None = None) -> None:
    """Write via a temporary file: the file is there as a whole or not at all."""
    draft = path.with_name(path.name + ".tmp")
    draft.write_text(json.dumps(content, indent=indent), encoding="utf-8")
    os.replace(draft, path)
