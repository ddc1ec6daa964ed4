"""How well single images went."""

from collections.abc import Sequence

import numpy as np

from ..functional import RankedCandidates, TripletTable
from .model import Box, ImageCase, Triplet
from .run import Run

NUM_PREDICTED = 15


class ImageBook:
    """The images of a run; all candidates of an image are one ranking, whatever their class.

    Args:
        run (Run): I images.

    Attributes:
        ap (ndarray): (I,) area under the interpolated curve of each image; NaN without ground truth.
        num_gt, num_found (ndarray): (I,) int, labelled triplets and those that a candidate took.
        silent (ndarray): (I,) bool, images that the file says nothing about.
    """

    def __init__(self, run: Run):
        self.run, judged, size = run, run.judged, run.ranking.num_images
        preds, gts = judged.preds, judged.gts
        order = np.lexsort((-preds.scores, preds.image))  # stable: equal scores keep their order
        image = preds.image[order]
        # Images take the place of classes.
        ranked = RankedCandidates(np.arange(size), order, image, judged.is_tp[order], image, gts.image, gts.image)
        results = ranked.results(None)
        self.ap, self.num_gt = results.ap, results.num_gt
        self.num_found = np.bincount(gts.image[judged.taken_by >= 0], minlength=size)
        self.silent = np.isin(np.arange(size), [run.images.position(name) for name in run.missing])
        self._pred_rows = np.split(order, np.cumsum(np.bincount(image, minlength=size)))[:-1]
        gt_order = np.argsort(gts.image, kind="stable")
        self._gt_rows = np.split(gt_order, np.cumsum(results.num_gt))[:-1]

    def best(self, number: int) -> list[int]:
        """Images with the largest AP (above 0); among equals more triplets first, then the order of the annotations."""
        images = np.flatnonzero(self.ap > 0)
        return images[np.lexsort((-self.num_gt[images], -self.ap[images]))][:number].tolist()

    def worst(self, number: int) -> list[int]:
        """Images with the smallest AP (below 1); among equals more lost triplets first.

        Images that the file says nothing about are left out: there is nothing to see.
        """
        images = np.flatnonzero((self.ap < 1) & ~self.silent)
        lost = self.num_gt[images] - self.num_found[images]
        return images[np.lexsort((-lost, self.ap[images]))][:number].tolist()

    def case(self, image: int) -> ImageCase:
        """Everything about an image."""
        judged, gt_rows, pred_rows = self.run.judged, self._gt_rows[image], self._pred_rows[image]
        pred_rows = pred_rows[judged.preds.scores[pred_rows] != 0][:NUM_PREDICTED]  # 0: no such combination
        found = np.where(judged.taken_by[gt_rows] >= 0, "found", "not found")
        return ImageCase(
            self.run.images.file_names[image],
            float(self.ap[image]),
            int(self.num_gt[image]),
            int(self.num_found[image]),
            self._triplets(judged.gts[gt_rows], found.tolist()),
            self._triplets(judged.preds[pred_rows], self.run.verdicts(pred_rows)),
        )

    def _triplets(self, table: TripletTable, verdicts: Sequence[str]) -> tuple[Triplet, ...]:
        judged, metainfo = self.run.judged, self.run.metainfo
        _, labels, verbs = judged.coder.decode(table.classes)
        no_classes = judged.coder.num_objects != len(metainfo["classes"])  # V-COCO compares no object class
        scores = [None] * len(table) if table.scores is None else table.scores.tolist()
        return tuple(
            Triplet(
                _box(sub),
                None if (absent := label == judged.coder.absent_object_label) else _box(obj),
                metainfo["verbs"][verb],
                None if absent or no_classes else metainfo["classes"][label],
                score,
                verdict,
            )
            for sub, obj, label, verb, score, verdict in zip(
                table.sub_boxes, table.obj_boxes, labels.tolist(), verbs.tolist(), scores, verdicts, strict=True
            )
        )


def _box(box: np.ndarray) -> Box:
    return tuple(float(x) for x in box)
