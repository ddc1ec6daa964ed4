"""What prediction hands out."""

from dataclasses import dataclass

import numpy as np

from hqm_mmdet.structures import HOIDataSample


@dataclass(frozen=True)
class BadInput:
    """An image that could not be predicted.

    Args:
        name (str): of the image.
        reason (str): what is wrong with it.
    """

    name: str
    reason: str


@dataclass
class Prediction:
    """What a model sees in one image.

    Args:
        name (str): of the image, see :class:`~.sources.ImageSource`.
        image (ndarray): (H, W, 3) uint8, BGR, as it was read.
        sample (HOIDataSample): with ``pred_pairs``, boxes in pixels of the image.
    """

    name: str
    image: np.ndarray
    sample: HOIDataSample

    @property
    def rgb(self) -> np.ndarray:
        """The image to draw on, (H, W, 3) uint8 RGB."""
        return np.ascontiguousarray(self.image[..., ::-1])

    @property
    def picture_name(self) -> str:
        """File name for a picture of it: its own, ``.jpg`` added where pictures can't be written with its ending."""
        return self.name if self.name.lower().endswith((".jpg", ".jpeg", ".png")) else f"{self.name}.jpg"
