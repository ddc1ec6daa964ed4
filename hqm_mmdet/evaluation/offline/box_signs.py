"""Signs that the boxes of a prediction file are not what they are read as."""

import numpy as np

from ..functional import aligned_iou
from .box_conventions import CONVENTIONS, BoxReading, read_as

SAMPLED = 200  # images that are compared with the annotations
FRACTION = 1.5  # largest coordinate that a fraction of the image may have; boxes may leave it a little
MANY = 0.3  # share of boxes that lie on annotated ones, if they are read rightly


class BoxSigns:
    """Counts, image by image, what no file of the stated convention has.

    Boxes with x2 < x1 or y2 < y1, boxes that all lie between 0 and 1, and boxes of which another reading puts many on
    annotated ones while this one puts hardly any there.

    Args:
        reading (BoxReading): what the file is read as.
    """

    def __init__(self, reading: BoxReading):
        self.reading = reading
        self.total = self.inverted = self.opposite = 0
        self.largest = self.truth_largest = 0.0
        self.sampled_images = self.sampled = 0
        self.on_truth = dict.fromkeys((name for name in CONVENTIONS if not name.startswith("fractions")), 0)

    def add(self, sample: dict, truth: np.ndarray | None = None) -> None:
        """Count an image's boxes.

        Args:
            sample (dict): ``pred_pairs`` or ``pred_agents`` with boxes as the file has them.
            truth (ndarray, optional): (M, 4) annotated boxes, x1, y1, x2, y2 in pixels.
        """
        self.add_boxes(boxes_of(sample), truth)

    def add_boxes(self, boxes: np.ndarray, truth: np.ndarray | None = None) -> None:
        """:meth:`add` for (N, 4) boxes; repetitions and absent objects (all 0 or NaN) do not count."""
        boxes = np.unique(boxes[np.isfinite(boxes).all(axis=1) & boxes.any(axis=1)], axis=0).astype(np.float64)
        if not len(boxes):
            return
        read = read_as(boxes, self.reading.convention)
        swapped = read[:, 2:] < read[:, :2]
        self.total += len(boxes)
        self.inverted += int(swapped.any(axis=1).sum())
        self.opposite += int(swapped.all(axis=1).sum())
        self.largest = max(self.largest, float(np.abs(boxes).max()))
        if truth is not None and len(truth):
            self.truth_largest = max(self.truth_largest, float(np.nanmax(truth)))
            self._compare(boxes, truth)

    def finding(self) -> str | None:
        """What was found and which convention is likely; None if nothing was."""
        signs = []
        if self.inverted:
            signs.append(f"{self.inverted} of {self.total} boxes have x2 < x1 or y2 < y1")
        if self._fractions():
            signs.append(f"all {self.total} boxes lie between 0 and {self.largest:.3g}, annotated ones reach further")
        if self.reading.needs_size and self.largest > 2 * FRACTION:
            signs.append(f"coordinates reach {self.largest:g}, which no fraction does")
        likely, mine = self._likely(), self.on_truth.get(self.reading.convention, self.sampled)
        best = self.on_truth.get(likely, 0)
        if not signs and self.sampled >= 20 and best > max(MANY * self.sampled, 2 * mine):
            signs.append(f"{mine} of {self.sampled} boxes lie on annotated ones (IoU 0.5)")
        if not signs:
            return None
        fits = f" ({best} of {self.sampled} then lie on annotated ones)" if best else ""
        return (
            f"{' and '.join(signs)}. They are read as {CONVENTIONS[self.reading.convention]}, and look like "
            f"{CONVENTIONS[likely]}{fits}: --boxes {likely}"
        )

    def _fractions(self) -> bool:
        return not self.reading.needs_size and self.total > 0 and self.largest <= FRACTION < self.truth_largest / 2

    def _likely(self) -> str:
        """The convention that puts most boxes on annotated ones; without annotations, the one that the signs have."""
        if self._fractions():
            return "fractions_cxcywh" if self.inverted else "fractions"
        if any(self.on_truth.values()):
            return max(self.on_truth, key=self.on_truth.get)
        return "corners" if self.opposite > 0.9 * self.total else "xywh"

    def _compare(self, boxes: np.ndarray, truth: np.ndarray) -> None:
        if self.sampled_images >= SAMPLED:
            return
        self.sampled_images += 1
        self.sampled += len(boxes)
        rows, columns = (axis.ravel() for axis in np.indices((len(boxes), len(truth))))
        for name in self.on_truth:
            iou = aligned_iou(read_as(boxes, name)[rows], truth[columns]).reshape(len(boxes), len(truth))
            self.on_truth[name] += int((iou.max(axis=1) >= 0.5).sum())


def boxes_of(sample: dict) -> np.ndarray:
    """(N, 4) boxes of a sample, as the file has them."""
    if "pred_agents" in sample:
        agents = sample["pred_agents"]
        return np.concatenate([agents.boxes, agents.role_boxes.reshape(-1, 4)])
    pairs = sample["pred_pairs"]
    return np.concatenate([np.asarray(pairs[key], np.float32).reshape(-1, 4) for key in ("sub_bboxes", "obj_bboxes")])
