"""Work on an image that is the same in every epoch, done once."""

import numpy as np
from mmcv.transforms import BaseTransform, Compose
from mmdet.structures.bbox import BaseBoxes

from hqm_mmdet.registry import TRANSFORMS


@TRANSFORMS.register_module()
class KeepInMemory(BaseTransform):
    """Runs transforms the first time an image comes by, and hands out copies of their result from then on.

    For small data sets: every process keeps all images it has seen. Put what draws random numbers behind it.

    Required key: ``img_path``, by which results are kept. Modified and added keys: those of the transforms.

    Args:
        transforms (list[dict]): configs of transforms that always give the same for the same image.
    """

    def __init__(self, transforms: list[dict]):
        self.transforms = Compose(transforms)
        self._kept: dict[str, dict] = {}

    def transform(self, results: dict) -> dict | None:
        """Run, or copy; None (a transform gave the image up) is not kept."""
        path = results["img_path"]
        if path not in self._kept:
            results = self.transforms(results)
            if results is None:
                return None
            self._kept[path] = results
        return {key: _own(value) for key, value in self._kept[path].items()}


def _own(value):
    """What later transforms change in place, arrays and mmdet's boxes, as a copy; the rest is shared."""
    if isinstance(value, np.ndarray):
        return value.copy()
    return value.clone() if isinstance(value, BaseBoxes) else value
