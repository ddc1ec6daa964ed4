"""A pair and where its query looks, layer by layer (as figure 4 of the HQM paper)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from .drawing import MIN_SIDE, PairView, draw_pairs
from .mining_view import draw_attention, grid

COLUMNS, CELL = 4, 640  # longest side of a cell in pixels


def draw_pair_attention(image: np.ndarray, view: PairView, maps: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """The pair with its label, then a cell per layer: the attention map with the pair's boxes.

    Args:
        image (ndarray): (H, W, 3) uint8 RGB.
        view (PairView): of the pair, boxes in pixels of the image.
        maps (Mapping[str, ndarray]): (h, w) weights by the layer's name.

    Returns:
        list[ndarray]: (H', W', 3) uint8 RGB, all of one size; :func:`sheet_of` makes one picture of them.
    """
    height, width = image.shape[:2]
    factor = min(max(1.0, MIN_SIDE / min(height, width)), CELL / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
    scale = (size[0] / width, size[1] / height) * 2
    sub_box, obj_box = (
        box and tuple(v * s for v, s in zip(box, scale, strict=True)) for box in (view.sub_box, view.obj_box)
    )
    view = replace(view, sub_box=sub_box, obj_box=obj_box)
    cells = [draw_pairs(small, [view], "the pair")]
    for name, weights in maps.items():
        heat = draw_attention(small, np.asarray(weights))
        cells.append(draw_pairs(heat, [replace(view, text="")], f"attention, {name}"))
    return cells


def sheet_of(cells: Sequence[np.ndarray]) -> np.ndarray:
    """Equally large pictures as one, (H, W, 3) uint8 RGB, in rows of three or four."""
    columns = min(len(cells), COLUMNS) if len(cells) % 3 else 3
    return grid([cells[i : i + columns] for i in range(0, len(cells), columns)])
