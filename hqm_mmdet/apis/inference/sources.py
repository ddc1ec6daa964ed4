"""What is to be predicted: paths, folders, patterns, addresses and arrays become named images."""

import glob
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mmdet.apis import det_inferencer
from mmengine import fileio
from PIL import Image

from hqm_mmdet.apis.pipeline import size_defect
from hqm_mmdet.datasets.transforms.pixels import BadImageError, as_shown, bad_image
from hqm_mmdet.errors import UserError

# mmdet's, and what Pillow opens besides, so that a folder holds what can be named.
IMG_EXTENSIONS = (*det_inferencer.IMG_EXTENSIONS, ".gif", ".jp2", ".j2k", ".avif", ".jfif", ".jpe", ".tga")
VIDEO_EXTENSIONS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv")
ImageInput = str | Path | np.ndarray | Image.Image


class InputError(UserError, ValueError):
    """Inputs that can't be used at all; the message names them and the remedy."""


@dataclass(frozen=True)
class ImageSource:
    """One image, not yet read.

    Args:
        name (str): what it is called in results: the path below the folder that all inputs share, or a number.
        content (str | Path | ndarray | Image): a path, an address or the image itself.
    """

    name: str
    content: ImageInput

    def read(self) -> np.ndarray:
        """(H, W, 3) uint8, BGR; see :func:`read_image`."""
        return read_image(self.content)


def find_images(inputs: ImageInput | Iterable[ImageInput], allow_urls: bool = False) -> Iterable[ImageSource]:
    """Images of what a user gave.

    Args:
        inputs: a file, a folder (its images, without sub-folders), a pattern (``photos/*/a*.jpg``), an address, an
            array, a PIL image, or several of these. What has no length (a generator) is read as it is asked for.
        allow_urls (bool): whether ``http://`` and other addresses may be read. Default: False.

    Returns:
        list, or for an input without length an iterator.

    Raises:
        InputError: a file or folder does not exist, holds no image, a pattern fits nothing, a video or an address where
            none is allowed.
    """
    if isinstance(inputs, str | Path | np.ndarray | Image.Image):
        inputs = [inputs]
    # A generator may be endless (a camera), so names can't depend on what comes later.
    if not hasattr(inputs, "__len__"):
        return (ImageSource(_number(i, item), item) for i, item in enumerate(inputs))
    contents = [found for item in inputs for found in _expand(item, allow_urls)]
    if not contents:
        raise InputError("Nothing to predict: no input was given.")
    return [ImageSource(name, content) for name, content in zip(_names(contents), contents, strict=True)]


def read_image(content: ImageInput) -> np.ndarray:
    """Pixels as a viewer shows them: EXIF orientation applied, transparency on white, grey levels as three channels.

    Args:
        content: path, address, PIL image, or an array: (H, W), (H, W, 1), (H, W, 3) BGR or (H, W, 4) BGRA, uint8, as
            ``cv2.imread`` gives it.

    Returns:
        ndarray: (H, W, 3) uint8, BGR.

    Raises:
        BadImageError: missing, truncated, too large (:func:`~hqm_mmdet.apis.pipeline.size_defect`), no image, or an
            array of another form.
    """
    if isinstance(content, np.ndarray):
        return _from_array(content)
    try:
        if isinstance(content, Image.Image):
            _require_size(content.height, content.width, "an image")
            return as_shown(content)
        source = io.BytesIO(fileio.get(str(content))) if "://" in str(content) else content
        with Image.open(source) as image:
            _require_size(image.height, image.width, f"image {content}")  # before its pixels take the memory
            return as_shown(image)
    except BadImageError:
        raise
    except Exception as error:  # decoders raise whatever they like on damaged bytes
        raise bad_image(content, error) from error


def _require_size(height: int, width: int, name: str) -> None:
    if defect := size_defect(height, width):
        raise BadImageError(f"{name} {defect}; make it smaller or cut it into pieces")


def is_video(path: str | Path) -> bool:
    """Whether a path ends as videos do."""
    return Path(path).suffix.lower() in VIDEO_EXTENSIONS


def _from_array(array: np.ndarray) -> np.ndarray:
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or array.shape[2:] not in ((), (1,), (3,), (4,)):
        raise BadImageError(
            f"an array of shape {array.shape} and type {array.dtype} is no image; expected uint8 of shape (H, W), "
            "(H, W, 3) BGR or (H, W, 4) BGRA"
        )
    if 0 in array.shape:
        raise BadImageError(f"an array of shape {array.shape} has no pixels")
    _require_size(*array.shape[:2], "an array")
    if array.shape[2:] == (4,):
        # On white, as viewers show it; dropping alpha would show what lies hidden below it.
        alpha = array[..., 3:].astype(np.float32) / 255
        array = (array[..., :3] * alpha + 255 * (1 - alpha)).round().astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(array.reshape(*array.shape[:2], -1), (*array.shape[:2], 3)))


def _expand(item: ImageInput, allow_urls: bool) -> Iterator[ImageInput]:
    """Single images behind one input."""
    if not isinstance(item, str | Path):
        yield item
        return
    path = str(item)
    if "://" in path:
        if not allow_urls:
            raise InputError(f"{path} is an address; nothing is downloaded unless allow_urls (--allow-urls) is set.")
        yield path
    elif os.path.isdir(path):
        yield from _images_in(path)
    elif os.path.isfile(path):
        if is_video(path):
            raise InputError(f"{path} is a video; use predict_video, or give it to `hqm-mmdet predict` alone.")
        yield path
    elif glob.has_magic(path):
        found = sorted(file for file in glob.glob(path, recursive=True) if _is_image(file))
        if not found:
            raise InputError(f"The pattern {path} fits no image file (looked from {os.getcwd()}).")
        yield from found
    else:
        raise InputError(f"{path} does not exist (looked from {os.getcwd()}). Give an image, a folder or a pattern.")


def _images_in(folder: str) -> list[str]:
    found = sorted(entry.path for entry in os.scandir(folder) if entry.is_file() and _is_image(entry.name))
    if not found:
        raise InputError(f"Folder {folder} holds no image ({', '.join(IMG_EXTENSIONS)}); sub-folders are not searched.")
    return found


def _is_image(name: str) -> bool:
    return name.lower().endswith(IMG_EXTENSIONS)


def _names(contents: list[ImageInput]) -> list[str]:
    """File names; paths below the folder that all share where file names repeat; numbers for what has no name."""
    is_file = [isinstance(c, str | Path) and "://" not in str(c) for c in contents]
    files = [os.path.abspath(c) for c, known in zip(contents, is_file, strict=True) if known]
    last = {os.path.basename(file) for file in files}
    # Names are file names of results: two images `a.jpg` of different folders may not collide.
    root = os.path.commonpath([os.path.dirname(file) for file in files]) if len(last) < len(set(files)) else None
    names = []
    for i, (content, known) in enumerate(zip(contents, is_file, strict=True)):
        path = Path(content if root is None else os.path.relpath(content, root)) if known else None
        names.append(_number(i, content) if path is None else path.name if root is None else path.as_posix())
    return names


def _number(index: int, content: ImageInput) -> str:
    last = str(content).split("?")[0].rsplit("/", 1)[-1] if isinstance(content, str | Path) else ""
    return f"{index:08d}_{last}" if last else f"{index:08d}.jpg"
