"""mmdet's visualizer for pairs."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from mmdet.visualization import DetLocalVisualizer
from mmengine.dist import master_only

from hqm_mmdet.registry import VISUALIZERS
from hqm_mmdet.structures import HOIDataSample

from .drawing import PairView, draw_pairs


@VISUALIZERS.register_module()
class HOIVisualizer(DetLocalVisualizer):
    """Draws labelled pairs (left) beside predicted ones (right).

    Names come from ``dataset_meta`` (``classes``, ``verbs``, and ``valid_pairs`` to leave out combinations that do not
    exist), which mmengine sets.

    Args:
        name (str): of the global instance.
        max_pairs (int): the best-scored predicted pairs that are shown.
        **kwargs: as in mmdet's ``DetLocalVisualizer``.
    """

    def __init__(self, name: str = "visualizer", max_pairs: int = 12, **kwargs):
        super().__init__(name, **kwargs)
        self.max_pairs = max_pairs

    @master_only
    def add_datasample(
        self,
        name: str,
        image: np.ndarray,
        data_sample: HOIDataSample | None = None,
        draw_gt: bool = True,
        draw_pred: bool = True,
        show: bool = False,
        wait_time: float = 0,
        out_file: str | None = None,
        pred_score_thr: float = 0.3,
        step: int = 0,
    ) -> np.ndarray:
        """Draw one sample; show it, write it or hand it to the backends, as in mmdet.

        Args:
            name (str): of the picture, for backends.
            image (ndarray): (H, W, 3) uint8 RGB, the original image.
            data_sample (HOIDataSample, optional): with ``pred_pairs`` and the metainfo ``gt_hois``, both in pixels of
                the original image.
            draw_gt, draw_pred (bool): which sides to draw.
            show (bool): open a window.
            wait_time (float): seconds that the window stays; 0 waits for a key.
            out_file (str, optional): where to write the picture.
            pred_score_thr (float): verbs below are not shown.
            step (int): global step, for backends.

        Returns:
            ndarray: (H', W', 3) uint8 RGB.
        """
        panels = []
        if draw_gt and data_sample is not None and "gt_hois" in data_sample:
            panels.append(draw_pairs(image, list(self.labelled(data_sample.gt_hois)), "ground truth"))
        if draw_pred and data_sample is not None and "pred_pairs" in data_sample:
            views = list(self.predicted(data_sample, pred_score_thr))
            panels.append(draw_pairs(image, views, f"prediction (score > {pred_score_thr:g})"))
        drawn = np.hstack(panels) if panels else image
        self.set_image(drawn)
        if show:
            self.show(drawn, win_name=name, wait_time=wait_time)
        if out_file is not None:
            self._write(drawn, out_file)
        elif not show:
            self.add_image(name, drawn, step)
        return drawn

    def labelled(self, gt_hois: dict) -> Iterator[PairView]:
        """Views of the labelled pairs; verbs of the same pair share one."""
        verbs_of: dict[tuple[int, int], list[int]] = {}
        for subject, obj, verb in gt_hois["hois"]:
            verbs_of.setdefault((int(subject), int(obj)), []).append(int(verb))
        for (subject, obj), verbs in verbs_of.items():
            label = None if obj < 0 else int(gt_hois["labels"][obj])
            obj_box = None if obj < 0 else tuple(gt_hois["boxes"][obj])
            yield PairView(tuple(gt_hois["boxes"][subject]), obj_box, self.describe(label, verbs))

    def predicted(self, sample: HOIDataSample, threshold: float) -> Iterator[PairView]:
        """Views of the predicted pairs with a verb above the threshold, the best first."""
        pairs = sample.pred_pairs.numpy()
        scores = self._allowed(pairs.obj_labels) * pairs.verb_scores
        for i in np.argsort(-scores.max(1, initial=0), kind="stable")[: self.max_pairs]:
            verbs = [v for v in np.argsort(-scores[i]) if scores[i, v] > threshold]
            if verbs:
                label = int(pairs.obj_labels[i])
                absent = label >= len(self.dataset_meta["classes"])
                text = self.describe(None if absent else label, verbs, scores[i])
                yield PairView(tuple(pairs.sub_bboxes[i]), None if absent else tuple(pairs.obj_bboxes[i]), text)

    def describe(self, label: int | None, verbs: list[int], scores: np.ndarray | None = None) -> str:
        """``hold, throw ball`` or, with scores, ``hold 0.91, throw 0.40 ball``."""
        names = self.dataset_meta["verbs"]
        parts = [names[v] if scores is None else f"{names[v]} {scores[v]:.2f}" for v in verbs]
        return ", ".join(parts) + ("" if label is None else f" {self.dataset_meta['classes'][label]}")

    def _allowed(self, labels: np.ndarray) -> np.ndarray:
        """(Q, V) or scalar: 1 where the verb goes with the object class; an absent object allows all."""
        valid = self.dataset_meta.get("valid_pairs")
        if valid is None:
            return np.ones((1, 1))
        valid = np.asarray(valid, dtype=float)
        return np.hstack([valid, np.ones_like(valid[:, :1])])[:, np.minimum(labels, valid.shape[1])].T

    @staticmethod
    def _write(image: np.ndarray, path: str) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if not cv2.imwrite(str(path), image[..., ::-1]):
            raise OSError(f"Picture {path} could not be written; the ending must be .png or .jpg.")
