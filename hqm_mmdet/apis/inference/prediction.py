"""What prediction hands out."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hqm_mmdet.evaluation.writing import shown_entry
from hqm_mmdet.structures import HOIDataSample
from hqm_mmdet.visualization import TripletSelection

from .triplets import Triplet, triplets_of_entry


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
        metainfo (Mapping): names and ids of classes and verbs.
    """

    name: str
    image: np.ndarray
    sample: HOIDataSample
    metainfo: Mapping

    def triplets(self, selection: TripletSelection | None = None) -> list[Triplet]:
        """Flat rows of what a selection shows (default: scores from 0.3), best first.

        Boxes are rounded to hundredths of a pixel and scores to six digits, as in ``predictions.json``.

        Raises:
            SelectionError: it names an unknown verb or object.
        """
        shown = (selection or TripletSelection())(self.sample.pred_pairs, self.metainfo)
        return triplets_of_entry(shown_entry(self.name, self.image.shape[:2], shown, self.metainfo))

    @property
    def rgb(self) -> np.ndarray:
        """The image to draw on, (H, W, 3) uint8 RGB."""
        return np.ascontiguousarray(self.image[..., ::-1])

    @property
    def picture_name(self) -> str:
        """File name for a picture of it: its own, ``.jpg`` added where pictures can't be written with its ending."""
        return self.name if self.name.lower().endswith((".jpg", ".jpeg", ".png")) else f"{self.name}.jpg"
