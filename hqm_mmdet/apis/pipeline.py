"""The config's test pipeline for images that are already read."""

import numpy as np
from mmengine.config import Config
from mmengine.dataset import Compose

from hqm_mmdet.errors import ConfigError

LOADERS = ("LoadHOIImage", "LoadImageFromFile", "InferencerLoader")
MAX_RATIO = 32  # narrower images are padded: resized with their ratio they would have no pixel left on one side


def inference_pipeline(cfg: Config) -> Compose:
    """The test pipeline with :func:`take_image` as its first step; errors as in :func:`inference_steps`."""
    return Compose([take_image, *inference_steps(cfg)])


def inference_steps(cfg: Config) -> list[dict]:
    """Steps of the test pipeline that follow loading.

    Raises:
        ConfigError: the config has no test pipeline, or it does not begin with loading.
    """
    steps = list(unwrapped_test_dataset(cfg).get("pipeline", ()))
    if not steps or steps[0]["type"].rpartition(".")[2] not in LOADERS:
        raise ConfigError(
            "The config's test_dataloader.dataset.pipeline prepares images for prediction; it must begin with "
            f"LoadHOIImage, but begins with {steps[0]['type'] if steps else 'nothing'}."
        )
    return steps[1:]


def unwrapped_test_dataset(cfg: Config) -> dict:
    """The config's test data set, without the wrappers around it; empty if there is none."""
    dataset = cfg.get("test_dataloader", {}).get("dataset") or {}
    while "dataset" in dataset:
        dataset = dataset["dataset"]
    return dataset


def take_image(results: dict) -> dict:
    """What the following steps expect of a loader; extremely narrow images grow at the right or the bottom.

    Required keys: ``img`` ((H, W, 3) uint8, BGR), ``img_path``. Added keys: ``img_shape``, ``ori_shape`` (H, W).
    """
    height, width = results["img"].shape[:2]
    pad = max(0, -(-width // MAX_RATIO) - height), max(0, -(-height // MAX_RATIO) - width)
    if any(pad):
        # The border is repeated: black would be an edge that the network sees.
        results["img"] = np.pad(results["img"], ((0, pad[0]), (0, pad[1]), (0, 0)), mode="edge")
    results["img_shape"] = results["ori_shape"] = results["img"].shape[:2]
    return results
