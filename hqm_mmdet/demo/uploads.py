"""Files of strangers: what is no image, or too large a one, is refused before it is decoded."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from hqm_mmdet.apis.inference.sources import read_image
from hqm_mmdet.apis.pipeline import size_defect
from hqm_mmdet.datasets.transforms import BadImageError
from hqm_mmdet.errors import UserError

# Pillow knows many more; some of them start other programs (EPS) or are rarely tested on hostile files.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
MEGA = 1_000_000
SMALLER = "Scale it down, or start the demo with a larger --max-megapixels."


class UploadError(UserError, ValueError):
    """A file that the demo refuses; the message says why and what helps."""


@dataclass(frozen=True)
class UploadLimits:
    """What the demo accepts.

    Args:
        megabytes (float): size of the file, in 10^6 bytes. Default: 20.
        megapixels (float): size of the image, in 10^6 pixels, as the file's header claims it and as the model gets it
            (:func:`~hqm_mmdet.apis.pipeline.padded_size`). Default: 40.
    """

    megabytes: float = 20
    megapixels: float = 40

    @property
    def bytes(self) -> int:
        """Largest file."""
        return round(self.megabytes * MEGA)


def read_upload(content: bytes, name: str, limits: UploadLimits) -> np.ndarray:
    """Pixels of an uploaded file, as :func:`~hqm_mmdet.apis.inference.sources.read_image` gives them.

    The content decides, not the name.

    Args:
        content (bytes): of the file.
        name (str): of the file, for messages.
        limits (UploadLimits): what is accepted.

    Returns:
        ndarray: (H, W, 3) uint8, BGR, EXIF orientation applied.

    Raises:
        UploadError: too large, no image, or a damaged one.
    """
    if len(content) > limits.bytes:
        raise UploadError(
            f"{name} has {len(content) / MEGA:.1f} MB, and at most {limits.megabytes:g} MB are accepted. "
            "Save it smaller, or start the demo with a larger --max-megabytes."
        )
    with _open(content, name, limits) as image:
        if defect := size_defect(image.height, image.width, limits.megapixels * MEGA):
            raise UploadError(f"{name} {defect}. {SMALLER}")
        try:
            return read_image(image)
        except BadImageError as error:
            raise UploadError(f"{name} is damaged or incomplete: {error.__cause__}.") from error


def _open(content: bytes, name: str, limits: UploadLimits) -> Image.Image:
    """The image behind its header; nothing is decoded yet."""
    try:
        return Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise UploadError(
            f"{name} claims a huge number of pixels, and at most {limits.megapixels:g} megapixels are accepted. "
            + SMALLER
        ) from error
    except Exception as error:  # decoders raise whatever they like on damaged bytes
        raise UploadError(
            f"{name} is no image: its content is none of {', '.join(FORMATS)}, whatever its name says."
        ) from error
