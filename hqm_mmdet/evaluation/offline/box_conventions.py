"""How a prediction file writes boxes, and boxes as metrics take them: x1, y1, x2, y2 in pixels."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from hqm_mmdet.utils.inside import path_inside

from ..errors import PredictionError

# What each convention is called in messages.
CONVENTIONS = {
    "xyxy": "x1, y1, x2, y2",
    "xywh": "x, y, width, height",
    "cxcywh": "centre x, centre y, width, height",
    "corners": "two opposite corners in any order",
    "fractions": "x1, y1, x2, y2 as fractions of the image",
    "fractions_cxcywh": "centre x, centre y, width, height as fractions of the image",
}


def read_as(boxes: np.ndarray, convention: str) -> np.ndarray:
    """(N, 4) x1, y1, x2, y2 of boxes written by a convention; fractions stay fractions."""
    first, second = boxes[:, :2], boxes[:, 2:]
    shape = convention.removeprefix("fractions_")
    if shape == "xywh":
        second = first + second
    elif shape == "cxcywh":
        first, second = first - second / 2, first + second / 2
    elif shape == "corners":
        first, second = np.minimum(first, second), np.maximum(first, second)
    return np.concatenate([first, second], axis=1)


@dataclass(frozen=True)
class BoxReading:
    """What a user says about the boxes of a prediction file.

    Args:
        convention (str): one of :data:`CONVENTIONS`. Default: ``xyxy``.
        images (str | Path, optional): folder of the images, whose sizes fractions need where the file does not tell
            them (``width`` and ``height`` of an entry). Default: none.
        strict (bool): refuse a file whose boxes look like another convention's. Default: False.
    """

    convention: str = "xyxy"
    images: str | Path | None = None
    strict: bool = False

    @property
    def needs_size(self) -> bool:
        """Whether the boxes are fractions."""
        return self.convention.startswith("fractions")

    def pixels(self, boxes: np.ndarray, size: tuple[int, int] | None) -> np.ndarray:
        """(N, 4) x1, y1, x2, y2 in pixels; ``size`` (width, height) is needed for fractions only."""
        if self.convention == "xyxy":
            return boxes
        read = read_as(boxes, self.convention)
        return read * np.array(size * 2, read.dtype) if self.needs_size else read

    def sample(self, sample: Mapping, size: tuple[int, int] | None) -> dict:
        """A sample of :class:`~.file_prediction.FilePrediction` with its boxes in pixels."""
        if "pred_agents" in sample:
            agents = sample["pred_agents"]
            roles = self.pixels(agents.role_boxes.reshape(-1, 4), size).reshape(agents.role_boxes.shape)
            return dict(sample, pred_agents=replace(agents, boxes=self.pixels(agents.boxes, size), role_boxes=roles))
        pairs = dict(sample["pred_pairs"])
        for key in ("sub_bboxes", "obj_bboxes"):
            pairs[key] = self.pixels(pairs[key], size)
        return dict(sample, pred_pairs=pairs)

    def size(self, name: str, told: tuple[int, int] | None) -> tuple[int, int] | None:
        """Width and height of an image, if they are needed: as told by the file, else of the image file.

        Raises:
            PredictionError: neither tells.
        """
        if not self.needs_size or told is not None:
            return told
        path = self.images and path_inside(self.images, name)
        try:
            with Image.open(path or "") as image:
                return image.size
        except Exception as error:  # decoders raise whatever they like on damaged bytes
            raise PredictionError(
                f"boxes are fractions, and the size of {name} is not known: the entry has no width and height, and "
                f"{path or 'no image'} does not tell it. Name the folder of the images with --images."
            ) from error
