"""Images within a page."""

import base64
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from hqm_mmdet.datasets.transforms.pixels import size_of
from hqm_mmdet.utils.inside import path_inside

LONG_SIDE = 640
NO_FILE, UNREADABLE = "no image file", "image file can't be read"


@dataclass(frozen=True)
class Picture:
    """What boxes are drawn on.

    Args:
        width, height (int): of the image itself in pixels; boxes count these.
        source (str, optional): the image, made smaller, as a data URI. None: a grey canvas.
        note (str): what the canvas says instead.
    """

    width: int
    height: int
    source: str | None
    note: str = ""

    def as_dict(self) -> dict:
        """For ``data`` of a page."""
        return dict(width=self.width, height=self.height, source=self.source, note=self.note)


class ImageFolder:
    """Images of a data set, by the names that its annotation file has.

    A name that leads out of the folder is looked for by its last component only.

    Args:
        folder (str | Path, optional): where they lie, by their name or by its last component. None: no images.
        long_side (int): larger images are made smaller, to that many pixels.
        upright (bool): whether boxes are in the frame of upright images, see :class:`~hqm_mmdet.datasets.HOIDataset`.
            Default: False.

    Attributes:
        asked (int): how many pictures were asked for.
        lost (list[str]): names of those that there are not, or that can't be read.
    """

    def __init__(self, folder: str | Path | None, long_side: int = LONG_SIDE, upright: bool = False):
        self.folder = None if folder is None else Path(folder)
        self.long_side, self.upright = long_side, upright
        self.asked = 0
        self.lost: list[str] = []

    def picture(self, file_name: str, boxes: Iterable = ()) -> Picture:
        """The image, or where there is none a canvas that holds all boxes.

        Args:
            file_name (str): as in the annotation file.
            boxes (Iterable): x1, y1, x2, y2 in pixels; None is skipped.

        Returns:
            Picture: its ``note`` says why there is no image.
        """
        self.asked += 1
        path = None
        try:
            path = self._find(file_name)
            if path is not None:
                return read_picture(path, self.long_side, self.upright)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):  # what Pillow raises for bad files
            pass
        self.lost.append(file_name)
        return _canvas(boxes, NO_FILE if path is None else UNREADABLE)

    @property
    def shortfall(self) -> str:
        """What is missing of the pictures asked for, without their path, as pages are mailed; empty if nothing is."""
        if not self.lost:
            return ""
        if self.folder is None:
            return "No image folder was given, so boxes are drawn on grey."
        if len(self.lost) == self.asked:
            return (
                f"None of the {self.asked} images was found in the folder {self.folder.resolve().name}, so boxes are "
                f"drawn on grey. Does it hold {self.lost[0]}?"
            )
        return (
            f"{len(self.lost)} of {self.asked} images are missing or can't be read and drawn as grey, first "
            f"{self.lost[0]}."
        )

    def _find(self, file_name: str) -> Path | None:
        if self.folder is None:
            return None
        # Pages are mailed: a foreign annotation file must not put private pictures into them.
        places = (path_inside(self.folder, name) for name in (file_name, Path(file_name).name))
        return next((place for place in places if place is not None and place.is_file()), None)


def read_picture(path: str | Path, long_side: int = LONG_SIDE, upright: bool = False) -> Picture:
    """An image, made smaller; turned as its EXIF orientation says only if ``upright``: boxes must fit it.

    Raises:
        OSError, ValueError, SyntaxError, DecompressionBombError: no image, or a damaged one.
    """
    with Image.open(path) as image:
        width, height = size_of(image, upright)
        image.draft("RGB", (long_side, long_side))  # JPEG only: decodes at a fraction of the size
        small = (ImageOps.exif_transpose(image) if upright else image).convert("RGB")
    small.thumbnail((long_side, long_side))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=82)
    return Picture(width, height, "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode())


def _canvas(boxes: Iterable, note: str) -> Picture:
    corners = np.array([box for box in boxes if box is not None], float).reshape(-1, 4)[:, 2:]
    corners = corners[np.isfinite(corners).all(1)]
    # A margin, so that boxes at the edge can be told.
    width, height = np.ceil(corners.max(0) * 1.04) if len(corners) else (640, 480)
    return Picture(max(int(width), 32), max(int(height), 32), None, note)
