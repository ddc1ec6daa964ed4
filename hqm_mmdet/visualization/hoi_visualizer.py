"""mmdet's visualizer for pairs."""

from pathlib import Path

import cv2
import numpy as np
from mmdet.visualization import DetLocalVisualizer
from mmengine.dist import master_only

from hqm_mmdet.registry import VISUALIZERS
from hqm_mmdet.structures import HOIDataSample
from hqm_mmdet.utils.atomic_io import naming

from .drawing import PairView, draw_pairs, side_by_side
from .pair_views import labelled_views, predicted_views, with_colours_of
from .repeats import merge_repeats
from .selection import TripletSelection

HOW_TO_READ = "solid: subject, dashed: object"


@VISUALIZERS.register_module()
class HOIVisualizer(DetLocalVisualizer):
    """Draws labelled pairs (left) beside predicted ones (right).

    A pair has the same colour on both sides if both its boxes agree (IoU at least 0.5); others are numbered on. Names
    come from ``dataset_meta`` (``classes``, ``verbs``, and ``valid_pairs`` to leave out combinations that do not
    exist), which mmengine sets.

    Args:
        name (str): of the global instance. Default: ``visualizer``.
        max_pairs (int): the best-scored predicted pairs that are shown. Default: 12.
        merge_iou (float, optional): predicted pairs that overlap so much are drawn as one, see
            :func:`~hqm_mmdet.visualization.merge_repeats`. None draws all. Default: 0.7.
        **kwargs: as in mmdet's ``DetLocalVisualizer``.
    """

    def __init__(self, name: str = "visualizer", max_pairs: int = 12, merge_iou: float | None = 0.7, **kwargs):
        super().__init__(name, **kwargs)
        self.max_pairs = max_pairs
        self.merge_iou = merge_iou

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
        selection: TripletSelection | None = None,
    ) -> np.ndarray:
        """Draw one sample; show it, write it or hand it to the backends, as in mmdet.

        Args:
            name (str): of the picture, for backends.
            image (ndarray): (H, W, 3) uint8 RGB, the original image.
            data_sample (HOIDataSample, optional): with ``pred_pairs`` and the metainfo ``gt_hois``, both in pixels of
                the original image.
            draw_gt, draw_pred (bool): which sides to draw. Default: True.
            show (bool): open a window. Default: False.
            wait_time (float): seconds that the window stays; 0 waits for a key. Default: 0.
            out_file (str, optional): where to write the picture.
            pred_score_thr (float): verbs below are not shown. Default: 0.3.
            step (int): global step, for backends. Default: 0.
            selection (TripletSelection, optional): which predictions to draw, instead of ``pred_score_thr``.

        Returns:
            ndarray: (H', W', 3) uint8 RGB.
        """
        sample = data_sample if data_sample is not None else HOIDataSample()
        # From the metainfo: in testing `gt_hois` is what the annotation file says, before any resize.
        labelled = labelled_views(sample.gt_hois, self.dataset_meta) if draw_gt and "gt_hois" in sample else None
        panels = [] if labelled is None else [draw_pairs(image, labelled, f"ground truth ({HOW_TO_READ})")]
        if draw_pred and "pred_pairs" in sample:
            selection = selection or TripletSelection(pred_score_thr)
            views = self.predicted(sample, selection)
            title = f"prediction, score from {selection.score_thr:g} ({HOW_TO_READ})"
            if labelled is not None:
                views = with_colours_of(views, labelled)
                title = f"prediction, score from {selection.score_thr:g}"
            panels.append(draw_pairs(image, views, title if views else f"{title}: nothing"))
        drawn = side_by_side(panels) if panels else image
        self.set_image(drawn)
        self._hand_out(name, drawn, show, wait_time, out_file, step)
        return drawn

    def predicted(self, sample: HOIDataSample, selection: TripletSelection) -> list[PairView]:
        """Views of the predicted pairs that the selection shows, the best first."""
        pairs = sample.pred_pairs
        if self.merge_iou is not None:
            pairs = merge_repeats(pairs.to_tensor(), self.merge_iou, len(self.dataset_meta["classes"]))
        return predicted_views(selection(pairs, self.dataset_meta)[: self.max_pairs], self.dataset_meta)

    def _hand_out(
        self, name: str, drawn: np.ndarray, show: bool, wait_time: float, out_file: str | None, step: int
    ) -> None:
        if show:
            self.show(drawn, win_name=name, wait_time=wait_time)
        if out_file is not None:
            self.write(drawn, out_file)
        elif not show:
            self.add_image(name, drawn, step)

    @staticmethod
    def write(image: np.ndarray, path: str | Path) -> None:
        """Write an RGB picture; its folder is made.

        Raises:
            OSError: it can't be written; the message names the file.
        """
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        try:
            _, content = cv2.imencode(Path(path).suffix, image[..., ::-1])
        except cv2.error as error:
            raise OSError(f"Picture {path} could not be written; the ending must be .png or .jpg.") from error
        # By Python: OpenCV does not say why a file can't be written.
        with naming(path):
            Path(path).write_bytes(content)
