"""The config's test pipeline for images that are already read."""

import cv2
import numpy as np
from mmengine.config import Config
from mmengine.dataset import Compose

from hqm_mmdet.errors import ConfigError

LOADERS = ("LoadHOIImage", "LoadImageFromFile", "InferencerLoader")
MAX_RATIO = 32  # narrower images are padded: resized with their ratio they would have no pixel left on one side
MAX_PIXELS = 170_000_000  # of an image after padding; three bytes each, held a few times over


def inference_pipeline(cfg: Config) -> Compose:
    """The test pipeline with :func:`take_image` as its first step; errors as in :func:`inference_steps`."""
    return _TellingCompose([take_image, *inference_steps(cfg)])


class _TellingCompose(Compose):
    """Steps whose settings fit no image are told as such."""

    def __call__(self, data: dict) -> dict | None:
        try:
            return super().__call__(data)
        except cv2.error as error:
            raise ConfigError(
                f"test_dataloader.dataset.pipeline can't prepare image {data.get('img_path')}: {error}. Look at its "
                "scale."
            ) from error


def inference_steps(cfg: Config) -> list[dict]:
    """Steps of the test pipeline that follow loading.

    Raises:
        ConfigError: the config has no test pipeline, or it does not begin with loading.
    """
    steps = unwrapped_test_dataset(cfg).get("pipeline") or []
    first = steps[0] if isinstance(steps, list | tuple) and steps else "nothing"
    kind = str(first.get("type") if isinstance(first, dict) else first)
    if kind.rpartition(".")[2] not in LOADERS:
        raise ConfigError(
            "The config's test_dataloader.dataset.pipeline prepares images for prediction; it must begin with "
            f"LoadHOIImage, but begins with {kind}."
        )
    return list(steps[1:])


def unwrapped_test_dataset(cfg: Config) -> dict:
    """The config's test data set, without the wrappers around it; empty if there is none.

    Raises:
        ConfigError: something else than a table is in its place.
    """
    part, place = cfg.get("test_dataloader") or {}, "test_dataloader"
    while isinstance(part, dict) and "dataset" in part:
        part, place = part["dataset"] or {}, f"{place}.dataset"
    if not isinstance(part, dict):
        raise ConfigError(f"{place} is {part!r}, and should be a dict.")
    return {} if place == "test_dataloader" else part


def padded_size(height: int, width: int) -> tuple[int, int]:
    """Height and width of an image as the model gets it; very narrow ones are padded to a ratio of 1 to 32."""
    return max(height, -(-width // MAX_RATIO)), max(width, -(-height // MAX_RATIO))


def size_defect(height: int, width: int, limit: float = MAX_PIXELS) -> str | None:
    """What makes an image too large to predict, or None.

    Args:
        height, width (int): of the image, in pixels.
        limit (float): most pixels after padding. Default: 170 million.
    """
    padded = padded_size(height, width)
    if padded[0] * padded[1] <= limit:
        return None
    size = f"has {width:,} x {height:,} pixels"
    if padded != (height, width):
        # A thin image is small as a file, and grows with the square of its long side.
        size += f" (padded to {padded[1]:,} x {padded[0]:,}, as images narrower than 1:{MAX_RATIO} are)"
    return f"{size}, and at most {limit / 1e6:g} megapixels are accepted"


def take_image(results: dict) -> dict:
    """What the following steps expect of a loader; extremely narrow images grow at the right or the bottom.

    Required keys: ``img`` ((H, W, 3) uint8, BGR), ``img_path``. Added keys: ``img_shape``, ``ori_shape`` (H, W).
    """
    results["img"] = pad_narrow(results["img"])
    results["img_shape"] = results["ori_shape"] = results["img"].shape[:2]
    return results


def pad_narrow(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) of :func:`padded_size`; the image lies at the top left."""
    height, width = image.shape[:2]
    below, right = np.subtract(padded_size(height, width), (height, width))
    # The border is repeated: black would be an edge that the network sees.
    return np.pad(image, ((0, below), (0, right), (0, 0)), mode="edge") if below or right else image
