"""One image of ToyHOI with its annotation entry."""

import numpy as np

from .draw import render
from .scene import sample_scene
from .settings import ToySettings
from .vocabulary import TOY_VERBS


def sample_image(settings: ToySettings, split: str, index: int) -> tuple[np.ndarray, dict]:
    """Make one image without touching the disk.

    Args:
        settings: the data set's settings.
        split: ``train`` or ``test``.
        index: 0-based image index; file names count from 1.

    Returns:
        Image (H, W, 3) uint8 RGB and its HOIA-style entry ``{file_name, annotations,
        hoi_annotation}``: boxes x1, y1, x2, y2 in 0-based pixel edges, category and verb ids from
        1, ``object_id`` -1 for a person-only verb.

    Raises:
        ValueError: unknown split or negative index.
    """
    scene, rng = sample_scene(settings, split, index)
    image, boxes = render(scene, rng)
    return image, {
        "file_name": f"toy_{split}_{index + 1:08d}.png",
        "annotations": [
            {"bbox": box.tolist(), "category_id": figure.label + 1}
            for box, figure in zip(boxes, scene.figures, strict=True)
        ],
        "hoi_annotation": [
            {"subject_id": subject, "object_id": target, "category_id": TOY_VERBS.index(verb) + 1}
            for subject, target, verb in scene.pairs
        ],
    }
