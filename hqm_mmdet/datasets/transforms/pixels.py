"""Pixels of an image: as its file stores them, or as a viewer shows them."""

import cv2
import numpy as np
from PIL import Image, ImageOps

from hqm_mmdet.errors import UserError

ORIENTATION = 0x0112  # the EXIF entry
UPRIGHT = 1
SIDEWAYS = range(5, 9)  # width and height change places
WHITE = (255, 255, 255)


class BadImageError(UserError, OSError):
    """An image is missing or can't be decoded; the message names file and remedy."""


def orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 (upright; also what is no orientation) to 8. Phones store photographs turned."""
    value = image.getexif().get(ORIENTATION, UPRIGHT)
    return value if value in range(1, 9) else UPRIGHT


def size_of(image: Image.Image, upright: bool) -> tuple[int, int]:
    """Width and height in pixels, as a viewer shows the image or as it is stored."""
    width, height = image.size
    return (height, width) if upright and orientation(image) in SIDEWAYS else (width, height)


def as_stored(image: Image.Image) -> np.ndarray:
    """(H, W, 3) uint8, BGR: Pillow's conversion to RGB, orientation ignored, as the field's official code reads."""
    return _bgr(image.convert("RGB"))


def as_shown(image: Image.Image) -> np.ndarray:
    """(H, W, 3) uint8, BGR: upright, transparency on white, grey levels as three channels.

    16 bits are scaled to 8, numbers with a fraction (TIFF) from 0..1 to 0..255; convert() would clip both.
    """
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16") or image.mode == "I":
        image = Image.fromarray((np.asarray(image).astype(np.int64).clip(0, 65535) >> 8).astype(np.uint8))
    elif image.mode == "F":
        image = Image.fromarray(_from_fractions(np.asarray(image)))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        ground = Image.new("RGB", image.size, WHITE)
        ground.paste(image, mask=image.getchannel("A"))
        image = ground
    return _bgr(image.convert("RGB"))


def bad_image(name, error: Exception) -> BadImageError:
    """The error to raise for an image that was not read."""
    if isinstance(error, FileNotFoundError):
        return BadImageError(f"image {name} does not exist")
    if isinstance(error, Image.DecompressionBombError):
        return BadImageError(
            f"image {name} is too large: {error}. Save it smaller; for files that you trust, the limit is "
            "PIL.Image.MAX_IMAGE_PIXELS"
        )
    return BadImageError(f"image {name} can't be read, it is truncated or no image ({error})")


def _from_fractions(levels: np.ndarray) -> np.ndarray:
    levels = np.nan_to_num(levels, posinf=0, neginf=0)
    # Nothing in the file says where white is: 1 where no level is above it.
    return (levels * (255 if levels.max(initial=0) <= 1 else 1)).clip(0, 255).round().astype(np.uint8)


def _bgr(image: Image.Image) -> np.ndarray:
    return cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2BGR)
