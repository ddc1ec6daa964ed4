"""The augmentation of DETR and QPIC at half its cost: the same distribution, fewer pixels touched."""

import cv2
import numpy as np
from mmcv.image import rescale_size
from mmcv.transforms import BaseTransform
from mmdet.datasets.transforms import RandomCrop, Resize

from hqm_mmdet.registry import TRANSFORMS

GREY = np.array([0.114, 0.587, 0.299], np.float32)  # of blue, green, red: ITU-R 601, Pillow's mode L
LEVELS = np.arange(256, dtype=np.float64)


@TRANSFORMS.register_module()
class ColorJitter(BaseTransform):
    """Brightness, contrast and saturation in random order, as torchvision's ``ColorJitter``.

    Every step is Pillow's ``ImageEnhance``, rounded to whole levels: a blend of the image with black, with its mean
    grey, or with its grey levels. A blend with one level is a table of 256 entries.

    Required and modified key: ``img`` ((H, W, 3) uint8, BGR).

    Args:
        brightness, contrast, saturation (float): j; the factor is uniform in [1 - j, 1 + j]. Default 0.4, as in QPIC.
    """

    def __init__(self, brightness: float = 0.4, contrast: float = 0.4, saturation: float = 0.4):
        self.reach = (brightness, contrast, saturation)

    def draw(self) -> list[tuple[int, float]]:
        """Steps in their order, each with its factor."""
        factors = [np.random.uniform(1 - reach, 1 + reach) for reach in self.reach]
        return [(step, factors[step]) for step in np.random.permutation(3)]

    def transform(self, results: dict) -> dict:
        """Change the colours."""
        image = results["img"]
        if image.strides[1] < 0:  # mmcv flips by a view, which NumPy would copy pixel by pixel
            image = cv2.flip(image[:, ::-1], 1)
        for step, factor in self.draw():
            image = (brightness, contrast, saturation)[step](image, factor)
        results["img"] = image
        return results


def brightness(image: np.ndarray, factor: float) -> np.ndarray:
    """Blend of an image (H, W, 3) uint8 with black; factor 1 changes nothing."""
    return _towards(image, 0, factor)


def contrast(image: np.ndarray, factor: float) -> np.ndarray:
    """Blend of a BGR image (H, W, 3) uint8 with its mean grey level."""
    return _towards(image, int(cv2.mean(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))[0] + 0.5), factor)


def saturation(image: np.ndarray, factor: float) -> np.ndarray:
    """Blend of a BGR image (H, W, 3) uint8 with its grey levels."""
    return cv2.transform(image, factor * np.eye(3, dtype=np.float32) + np.float32(1 - factor) * GREY)


def _towards(image: np.ndarray, level: int, factor: float) -> np.ndarray:
    table = (level + factor * (LEVELS - level)).clip(0, 255).astype(np.uint8)  # cut off, as Pillow does
    return cv2.LUT(image, table)


@TRANSFORMS.register_module()
class AntialiasedResize(Resize):
    """mmdet's ``Resize`` with Pillow's bilinear filter, which averages what it shrinks, as official code resizes.

    Where no side shrinks there is nothing to average: bilinear interpolation is the same everywhere, and OpenCV's is
    ten times faster. Arguments as in mmdet's ``Resize``, without ``backend``.
    """

    def transform(self, results: dict) -> dict:
        """Resize."""
        height, width = results["img"].shape[:2]
        new_width, new_height = rescale_size((width, height), self.scale) if self.keep_ratio else self.scale
        self.backend = "cv2" if new_width >= width and new_height >= height else "pillow"
        return super().transform(results)


@TRANSFORMS.register_module()
class RandomCropAtScale(RandomCrop):
    """mmdet's ``RandomCrop`` whose sizes count in the image resized to a random scale, which need not be resized.

    Resizing, cropping and resizing again, as QPIC does, touches all pixels twice and interpolates twice; cropping first
    gives the same part of the image.

    Args:
        scales (list[tuple[int, int]]): shorter side and limit of the longer one, one is drawn.
        **kwargs: as in mmdet's ``RandomCrop``; ``crop_type`` is ``absolute`` or ``absolute_range``.
    """

    def __init__(self, scales: list[tuple[int, int]], **kwargs):
        super().__init__(**kwargs)
        self.scales = scales
        self.size_at_scale = self.crop_size

    def transform(self, results: dict) -> dict | None:
        """Crop."""
        height, width = results["img"].shape[:2]
        scale = self.scales[np.random.randint(len(self.scales))]
        _, factor = rescale_size((width, height), tuple(scale), return_scale=True)
        self.crop_size = tuple(max(1, round(side / factor)) for side in self.size_at_scale)
        return super().transform(results)
