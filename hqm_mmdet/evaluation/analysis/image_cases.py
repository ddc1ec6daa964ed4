"""How well single images went."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..functional import RankedCandidates, TripletTable
from .model import Box, ImageCase, Triplet
from .run import Run

NUM_PREDICTED = 15


@dataclass(frozen=True, eq=False)
class ImageScores:
    """I images; all candidates of an image are one ranking, whatever their class.

    Args:
        ap (ndarray): (I,) area under the interpolated curve; NaN without ground truth.
        num_gt, num_found (ndarray): (I,) int, labelled triplets and those that a candidate took.
    """

    ap: np.ndarray
    num_gt: np.ndarray
    num_found: np.ndarray

    def by_name(self, run: Run) -> Mapping[str, float]:
        """AP of the images with ground truth."""
        return {run.images.file_names[i]: float(self.ap[i]) for i in np.flatnonzero(self.num_gt)}


def score_images(run: Run) -> ImageScores:
    """AP of every image."""
    judged, size = run.judged, run.ranking.num_images
    preds, gts = judged.preds, judged.gts
    order = np.lexsort((-preds.scores, preds.image))  # stable: equal scores keep their order
    image = preds.image[order]
    ranked = RankedCandidates(np.arange(size), order, image, judged.is_tp[order], image, gts.image, gts.image)
    results = ranked.results(None)
    return ImageScores(results.ap, results.num_gt, np.bincount(gts.image[judged.taken_by >= 0], minlength=size))


def best_images(run: Run, scores: ImageScores, number: int) -> list[int]:
    """Images with the largest AP (above 0); among equals more triplets first, then the order of the annotations."""
    images = np.flatnonzero(scores.ap > 0)
    order = np.lexsort((-scores.num_gt[images], -scores.ap[images]))
    return images[order][:number].tolist()


def worst_images(run: Run, scores: ImageScores, number: int) -> list[int]:
    """Images with the smallest AP (below 1); among equals more missed triplets first.

    Images that the file says nothing about are left out: there is nothing to see.
    """
    known = ~np.isin(np.arange(len(scores.ap)), [run.images.position(name) for name in run.missing])
    images = np.flatnonzero(known & (scores.ap < 1))
    missed = scores.num_gt[images] - scores.num_found[images]
    return images[np.lexsort((-missed, scores.ap[images]))][:number].tolist()


class CaseBook:
    """Makes the cases of a run's images.

    Args:
        run (Run): The run.
        scores (ImageScores): Its images.
        verdicts (Sequence[str]): (N,) ``right`` or the kind of error of every candidate, rows as ``run.judged.preds``.
    """

    def __init__(self, run: Run, scores: ImageScores, verdicts: Sequence[str]):
        self.run, self.scores, self.verdicts = run, scores, verdicts
        judged = run.judged
        self._pred_rows = _rows_by_image(judged.preds.image, run.ranking.num_images)
        self._gt_rows = _rows_by_image(judged.gts.image, run.ranking.num_images)

    def case(self, image: int) -> ImageCase:
        """Everything about an image."""
        judged, scores = self.run.judged, self.scores
        gt_rows, pred_rows = self._gt_rows[image], self._pred_rows[image]
        pred_rows = pred_rows[np.argsort(-judged.preds.scores[pred_rows], kind="stable")]
        pred_rows = pred_rows[judged.preds.scores[pred_rows] > 0][:NUM_PREDICTED]  # 0: no such combination
        found = np.where(judged.taken_by[gt_rows] >= 0, "found", "missed")
        return ImageCase(
            self.run.images.file_names[image],
            float(scores.ap[image]),
            int(scores.num_gt[image]),
            int(scores.num_found[image]),
            self._triplets(judged.gts[gt_rows], found.tolist()),
            self._triplets(judged.preds[pred_rows], [str(self.verdicts[row]) for row in pred_rows]),
        )

    def _triplets(self, table: TripletTable, verdicts: Sequence[str]) -> tuple[Triplet, ...]:
        judged, metainfo = self.run.judged, self.run.metainfo
        _, labels, verbs = judged.coder.decode(table.classes)
        spans_objects = judged.coder.num_objects != len(metainfo["classes"])  # V-COCO: no object class is compared
        scores = [None] * len(table) if table.scores is None else table.scores.tolist()
        return tuple(
            Triplet(
                _box(sub),
                None if (absent := label == judged.coder.absent_object_label) else _box(obj),
                metainfo["verbs"][verb],
                None if absent or spans_objects else metainfo["classes"][label],
                score,
                verdict,
            )
            for sub, obj, label, verb, score, verdict in zip(
                table.sub_boxes, table.obj_boxes, labels.tolist(), verbs.tolist(), scores, verdicts, strict=True
            )
        )


def _rows_by_image(image: np.ndarray, num_images: int) -> list[np.ndarray]:
    order = np.argsort(image, kind="stable")
    return np.split(order, np.cumsum(np.bincount(image, minlength=num_images)))[:-1]


def _box(box: np.ndarray) -> Box:
    return tuple(float(x) for x in box)
