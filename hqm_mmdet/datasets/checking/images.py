"""Image files: there, readable, as large as their boxes say."""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

from PIL import Image

from ..annotations import box_defect
from ..transforms.pixels import UPRIGHT, orientation, size_of
from .checked_entry import CheckedEntry
from .findings import SplitReport
from .kinds import BOX_LEAVES, BOX_OUTSIDE, IMAGE_MISSING, IMAGE_TOO_LARGE, IMAGE_UNREADABLE, TURNED, Kind

EDGE = 1  # pixels; HICO-DET's test boxes count from 1


@dataclass(frozen=True)
class ImageFile:
    """What a file holds; or what is wrong, and what the decoder says.

    Args:
        size (tuple[int, int], optional): width and height in the frame of the boxes.
        digest (str): hash of its bytes.
        orientation (int): of EXIF; 1 is upright.
        problem (Kind, optional), detail (str): what is wrong.
    """

    size: tuple[int, int] | None = None
    digest: str = ""
    orientation: int = UPRIGHT
    problem: Kind | None = None
    detail: str = ""


def inspect_image(path: str | Path, upright: bool = False) -> ImageFile:
    """Read and decode a file to its end; ``upright`` as of :class:`~hqm_mmdet.datasets.HOIDataset`."""
    try:
        # Once, for the decoder and for the hash.
        data = Path(path).read_bytes()
    except FileNotFoundError:
        return ImageFile(problem=IMAGE_MISSING, detail=str(path))
    except (OSError, ValueError) as error:  # the latter: no name of a file, such as one with a zero byte
        return ImageFile(problem=IMAGE_UNREADABLE, detail=str(error))
    try:
        with Image.open(BytesIO(data)) as image:
            # open() reads the header only; a truncated file shows at its end.
            image.load()
            digest = hashlib.blake2b(data, digest_size=16).hexdigest()
            return ImageFile(size_of(image, upright), digest, orientation(image))
    except Image.DecompressionBombError as error:
        return ImageFile(problem=IMAGE_TOO_LARGE, detail=f"{path}: {error}")
    except Exception as error:  # decoders raise whatever they like on damaged bytes
        return ImageFile(problem=IMAGE_UNREADABLE, detail=f"{path}: {error}")


def inspect_images(paths: Sequence[str], workers: int, upright: bool = False) -> Iterator[ImageFile]:
    """:func:`inspect_image` of all paths, in order, a bounded number at a time."""
    with ThreadPoolExecutor(workers) as pool:
        # map() submits everything at once and would hold the results of the whole data set.
        for start in range(0, len(paths), 256):
            yield from pool.map(partial(inspect_image, upright=upright), paths[start : start + 256])


def compare(entry: CheckedEntry, image: ImageFile, report: SplitReport) -> None:
    """Note what is wrong with an entry's image, and with its boxes in this image."""
    if image.problem is not None:
        report.add(image.problem, entry, image.detail)
        return
    width, height = entry.size = image.size
    report.statistics.add_image_size(image.size)
    if image.orientation != UPRIGHT:
        frame = "upright" if report.upright else "as stored"
        report.add(
            TURNED, entry, f"EXIF orientation {image.orientation}; read {frame} (dataset.upright={report.upright})"
        )
    for i, (box, _) in entry.boxes.items():
        # Told with the entry already.
        if box_defect(box):
            continue
        x1, y1, x2, y2 = box
        detail = f"annotations[{i}].bbox = {box}, the image has {width} x {height} pixels"
        if x1 >= width or y1 >= height or x2 <= 0 or y2 <= 0:
            report.add(BOX_OUTSIDE, entry, detail, (i,))
        elif min(x1, y1) < -EDGE or x2 > width + EDGE or y2 > height + EDGE:
            report.add(BOX_LEAVES, entry, detail, (i,))
