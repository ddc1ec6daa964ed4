"""Which instances of a detector are worth pairing."""

import torch
from mmdet.structures.bbox import bbox_overlaps
from torch import Tensor

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.models.two_stage import Scene
from hqm_mmdet.registry import TASK_UTILS


@TASK_UTILS.register_module()
class InstanceSelection:
    """Suppression per class, then a number of persons and of other instances within limits.

    Persons come first, then the others, each in descending score. Source: UPT (CVPR 2022) and PViC (ICCV 2023), whose
    thresholds are for softmax detectors; what a detector's scores mean is its own affair.

    Args:
        subject_label (int): label of persons. Default: 0.
        score_thr (float): least score, reached. Default: 0.2, as UPT; PViC: 0.05.
        min_instances, max_instances (int): of persons, and of others: at least so many of the best whatever their
            score, at most so many. Default: 3, 15.
        nms_iou (float): instances that overlap a better one of their class by more vanish first. Default: 0.5.
        clamp (bool): boxes end at the image's border, after suppression, as PViC's. Default: False.

    Raises:
        ConfigError: the minimum exceeds the maximum.
    """

    def __init__(
        self,
        subject_label: int = 0,
        score_thr: float = 0.2,
        min_instances: int = 3,
        max_instances: int = 15,
        nms_iou: float = 0.5,
        clamp: bool = False,
    ):
        if min_instances > max_instances:
            raise ConfigError(f"InstanceSelection: min_instances={min_instances} exceeds {max_instances}, the maximum.")
        self.subject_label, self.score_thr, self.nms_iou, self.clamp = subject_label, score_thr, nms_iou, clamp
        self.limits = (min_instances, max_instances)

    def __call__(self, scene: Scene) -> Scene:
        """The scene with the selected instances."""
        found = scene.instances
        kept = survivors(found.bboxes, found.labels, found.scores, self.nms_iou)
        persons = found.labels[kept] == self.subject_label
        selected = scene.of(torch.cat([self._best(scene, kept[persons]), self._best(scene, kept[~persons])]))
        if self.clamp:
            height, width = scene.size
            boxes = selected.instances.bboxes
            selected.instances.bboxes = torch.minimum(boxes.clamp(min=0), boxes.new_tensor([width, height] * 2))
        return selected

    def _best(self, scene: Scene, rows: Tensor) -> Tensor:
        """Of rows in descending score those to take."""
        certain = int((scene.instances.scores[rows] >= self.score_thr).sum())
        least, most = self.limits
        return rows[: min(max(certain, least), most)]


def survivors(boxes: Tensor, labels: Tensor, scores: Tensor, iou: float) -> Tensor:
    """Rows of boxes (N, 4) that overlap no better one of their label (N,) by more than ``iou``, best first."""
    order = scores.argsort(descending=True, stable=True)
    boxes, labels = boxes[order], labels[order]
    covers = (bbox_overlaps(boxes, boxes) > iou) & (labels[:, None] == labels)
    covers = covers.triu(1).cpu().numpy()
    alive = torch.ones(len(order), dtype=torch.bool).numpy()
    for row in range(len(order)):
        if alive[row]:
            alive &= ~covers[row]
    return order[torch.from_numpy(alive).to(order.device)]
