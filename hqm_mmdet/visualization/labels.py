"""Labels on a picture that do not cover each other."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import ImageDraw, ImageFont

Box = tuple[float, float, float, float]


@lru_cache(maxsize=64)
def font_of(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font: the same on every machine."""
    return ImageFont.load_default(size=size)


class LabelSheet:
    """Takes labels one after the other and finds a free place for each.

    Args:
        draw (ImageDraw): of the picture.
        size (tuple[int, int]): its width and height in pixels.
        avoid (Sequence[tuple]): boxes x1, y1, x2, y2 that labels leave free if they can. Default: none.
    """

    def __init__(self, draw: ImageDraw.ImageDraw, size: tuple[int, int], avoid: Sequence[Box] = ()):
        self.draw = draw
        self.size = size
        self.avoid = avoid
        self.font = font_of(max(12, min(size) // 32))
        self.taken: list[Box] = []

    def put(self, text: str, anchor: Box, colour: tuple[int, int, int]) -> None:
        """Write lines of text near a box: above it, in its upper corners, below it, or where else there is room.

        Args:
            text (str): may have several lines.
            anchor (tuple): x1, y1, x2, y2 in pixels of the picture.
            colour (tuple): RGB of the label's ground; letters are black or white.
        """
        left, top, right, bottom = self.draw.multiline_textbbox((0, 0), text, font=self.font, spacing=2)
        width, height = right - left + 8, bottom - top + 7
        box = self._place(anchor, width, height)
        self.taken.append(box)
        self.draw.rectangle(box, fill=colour, outline=(0, 0, 0))
        # Luma of BT.601: how bright a colour looks.
        dark = np.dot(colour, (0.299, 0.587, 0.114)) < 110
        ink = (255, 255, 255) if dark else (0, 0, 0)
        self.draw.multiline_text((box[0] + 4 - left, box[1] + 3 - top), text, fill=ink, font=self.font, spacing=2)

    def _place(self, anchor: Box, width: float, height: float) -> Box:
        x1, y1, x2, y2 = anchor
        near = [(x1, y1 - height), (x2 - width, y1 - height), (x1, y1), (x2 - width, y1), (x1, y2), (x2 - width, y2)]
        rows = np.arange(0, max(1, self.size[1] - height), height + 1)
        far = sorted(((x1, float(y)) for y in rows), key=lambda at: abs(at[1] - y1))
        # Best near and off all objects, else in any free place, else on top of other labels.
        free = [box for x, y in (*near, *far) if self._is_free(box := self._inside(x, y, width, height), self.taken)]
        best = (box for box in free[: len(near)] if self._is_free(box, self.avoid))
        return next(best, free[0] if free else self._inside(*near[0], width, height))

    @staticmethod
    def _is_free(box: Box, others: Sequence[Box]) -> bool:
        return not any(_overlap(box, other) for other in others)

    def _inside(self, x: float, y: float, width: float, height: float) -> Box:
        x = min(max(0, x), max(0, self.size[0] - width))
        y = min(max(0, y), max(0, self.size[1] - height))
        return x, y, x + width, y + height


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
