"""Average precision of the boxes of pairs: where errors of HOI metrics come from."""

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmengine.structures import BaseDataElement
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from hqm_mmdet.registry import METRICS
from hqm_mmdet.structures import pair_nms

from ..errors import EvaluationError
from .base import text_table
from .records import PAIR_FIELDS, Record, annotated_hois, as_dict, drop_repeated, get_field, image_name, to_numpy
from .vocabulary import require_metainfo

SIDES = ("sub", "obj")


@dataclass(frozen=True, eq=False)
class BoxRecord(Record):
    """One image; each table has a row per box: x1, y1, x2, y2, label, then score or whether it counts.

    Args:
        sub_preds, obj_preds (ndarray): (N, 6) float32.
        sub_gts, obj_gts (ndarray): (M, 6) float64.
    """

    sub_preds: np.ndarray
    obj_preds: np.ndarray
    sub_gts: np.ndarray
    obj_gts: np.ndarray


@METRICS.register_module()
class HOIBoxMetric(BaseMetric):
    """COCO's box AP (pycocotools) of subjects and of objects, as two detection tasks.

    Keys (fractions; NaN without ground truth): ``box/sub_AP``, ``box/sub_AP50``, ``box/sub_AR``, and ``box/obj_...``
    as mean over object classes. Good boxes with a poor HOI metric point at verbs or at the pairing, poor ``obj_`` with
    good ``sub_`` at object classes or boxes.

    Many pairs share a box, so repeated boxes of a class are dropped by NMS first. A subject's score is its pair's best
    verb score, an object's is ``obj_scores`` (the best verb score where there are none). Ground truth is the boxes that
    take part in an HOI on that side; all other annotated boxes are ignored like COCO's crowds (HOI data sets do not
    annotate everything). Identical annotated boxes count once.

    Args:
        nms_threshold (float): IoU beyond which a lesser box of the same class is dropped. Default: 0.7.
        max_boxes (int): boxes per image and side that count. Default: 100.
        **kwargs: ``collect_device``, ``prefix`` and ``collect_dir`` of mmengine's ``BaseMetric``.
    """

    default_prefix = "box"

    def __init__(self, nms_threshold: float = 0.7, max_boxes: int = 100, **kwargs) -> None:
        super().__init__(**kwargs)
        self.nms_threshold, self.max_boxes = nms_threshold, max_boxes

    def process(self, data_batch: Any, data_samples: Sequence[dict | BaseDataElement]) -> None:
        """Keep the boxes of a batch.

        Args:
            data_batch (Any): not used.
            data_samples (Sequence): as for :func:`~.records.make_record`; ``obj_scores`` (P,) where there are any.

        Raises:
            EvaluationError: A field is missing, or a score is not finite (the message names the image).
        """
        info = require_metainfo(self.dataset_meta, ("classes", "verbs"))
        for sample in map(as_dict, data_samples):
            self.results.append(self._record(sample, len(info["classes"]), info.get("subject_label", 0)))

    def compute_metrics(self, results: list[BoxRecord]) -> dict[str, float]:
        """Evaluate both sides and log a table.

        Args:
            results (list[BoxRecord]): records of all ranks.

        Returns:
            dict[str, float]: the keys above, without prefix.
        """
        records = drop_repeated(results)
        rows = {
            side: coco_box_ap(
                [getattr(r, f"{side}_preds") for r in records],
                [getattr(r, f"{side}_gts") for r in records],
                self.max_boxes,
            )
            for side in SIDES
        }
        columns = list(rows["sub"])
        title = f"boxes of pairs, COCO AP, {len(records)} images"
        named = {"subjects": rows["sub"], "objects": rows["obj"]}
        table = text_table(title, columns, {name: [row[c] for c in columns] for name, row in named.items()})
        print_log("\n" + table, logger="current")
        return {f"{side}_{key}": value for side, row in rows.items() for key, value in row.items()}

    def _record(self, sample: Mapping, no_object: int, subject_label: int) -> BoxRecord:
        img_id, image = image_name(sample)
        pairs = as_dict(get_field(sample, "pred_pairs", image))
        sub, obj, labels, verb_scores = (to_numpy(get_field(pairs, key, image)) for key in PAIR_FIELDS)
        labels = labels.astype(np.int64).reshape(-1)
        best = verb_scores.reshape(len(labels), -1).max(axis=1) if len(labels) else np.zeros(0, np.float32)
        obj_scores = to_numpy(pairs["obj_scores"]) if "obj_scores" in pairs else best
        if not (np.isfinite(best).all() and np.isfinite(obj_scores).all()):
            raise EvaluationError(
                f"image {image!r}: a score is not finite. Check the model's weights, or its inputs, for NaN."
            )
        has_object = labels < no_object
        boxes, box_labels, hois = annotated_hois(sample, image)
        subjects, objects = np.unique(hois[:, 0]), np.unique(hois[hois[:, 1] >= 0, 1])
        return BoxRecord(
            img_id,
            image,
            self._detections(sub, np.full(len(labels), subject_label), best),
            self._detections(obj[has_object], labels[has_object], obj_scores[has_object]),
            _truth(boxes, np.full(len(boxes), subject_label), subjects, box_labels == subject_label),
            _truth(boxes, box_labels, objects, np.ones(len(boxes), dtype=bool)),
        )

    def _detections(self, boxes: np.ndarray, labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
        boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
        # beta 0 takes the second box out of the product: plain NMS per class.
        kept = pair_nms(boxes, boxes, labels, scores, self.nms_threshold, alpha=1.0, beta=0.0)[: self.max_boxes]
        return np.column_stack([boxes[kept], labels[kept], scores[kept]]).astype(np.float32)


def coco_box_ap(preds: Sequence[np.ndarray], gts: Sequence[np.ndarray], max_boxes: int = 100) -> dict[str, float]:
    """COCO's box AP over a set of images.

    Args:
        preds (Sequence[ndarray]): per image (N, 6): x1, y1, x2, y2, label, score.
        gts (Sequence[ndarray]): per image (M, 6): x1, y1, x2, y2, label, 1 if the box counts, 0 if it is ignored.
        max_boxes (int): detections per image and class that count.

    Returns:
        dict[str, float]: ``AP`` (IoU 0.50 to 0.95), ``AP50``, ``AR``; NaN without ground truth.
    """
    truth, found = _rows(gts), _rows(preds)
    labels = sorted({int(row[5]) for row in truth if row[6]})
    if not labels:
        return dict(AP=float("nan"), AP50=float("nan"), AR=float("nan"))
    coco = COCO()
    coco.dataset = dict(
        images=[dict(id=i) for i in range(len(gts))],
        categories=[dict(id=label) for label in labels],
        # What does not count is a crowd: detections on it are neither right nor wrong.
        annotations=[_annotation(n, row, iscrowd=int(not row[6])) for n, row in enumerate(truth, start=1)],
    )
    # pycocotools reports its progress by printing.
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
        results = COCO()
        results.dataset = dict(
            coco.dataset, annotations=[_annotation(n, r, score=r[6]) for n, r in enumerate(found, 1)]
        )
        results.createIndex()
        evaluation = COCOeval(coco, results, "bbox")
        evaluation.params.catIds = labels
        evaluation.params.maxDets = [max_boxes]
        # One range instead of COCO's four: sizes are not told apart.
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.evaluate()
        evaluation.accumulate()
    precision, recall = evaluation.eval["precision"], evaluation.eval["recall"]  # (T, R, K, 1, 1), (T, K, 1, 1)
    return dict(AP=_mean(precision), AP50=_mean(precision[0]), AR=_mean(recall))


def _rows(tables: Sequence[np.ndarray]) -> list[list[float]]:
    """Tables with the image's position in front."""
    return [[i, *row] for i, table in enumerate(tables) for row in np.asarray(table, np.float64).tolist()]


def _annotation(number: int, row: Sequence[float], **fields: float) -> dict:
    image, x1, y1, x2, y2, label, _ = row
    box = [x1, y1, x2 - x1, y2 - y1]
    return dict(iscrowd=0, id=number, image_id=image, category_id=int(label), bbox=box, area=box[2] * box[3]) | fields


def _truth(boxes, labels, counted, known) -> np.ndarray:
    """(M, 6) rows of the boxes that are ``known`` or counted; identical ones once."""
    counts = np.isin(np.arange(len(boxes)), counted)
    rows = np.column_stack([np.reshape(boxes, (-1, 4)), labels, counts])[known | counts]
    # Sorted by descending last column, so that of identical boxes a counted one stays.
    rows = rows[np.argsort(-rows[:, 5], kind="stable")]
    _, first = np.unique(rows[:, :5], axis=0, return_index=True)
    return rows[np.sort(first)]


def _mean(values: np.ndarray) -> float:
    values = values[values > -1]  # pycocotools writes -1 where a class has no ground truth
    return float(values.mean()) if values.size else float("nan")
