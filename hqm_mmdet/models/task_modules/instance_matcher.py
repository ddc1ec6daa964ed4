"""Bipartite matching of detected and annotated instances."""

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from hqm_mmdet.registry import TASK_UTILS
from hqm_mmdet.structures import cxcywh_to_xyxy

from .matcher import Assignment, solve
from .pointer_targets import InstanceTargets


@TASK_UTILS.register_module()
class InstanceMatcher:
    """DETR's Hungarian matching with mmdet's costs, for all layers and images with one host synchronisation.

    Args:
        costs (list[dict], optional): mmdet match costs, summed. Default: DETR's three.
    """

    DEFAULT_COSTS = (
        dict(type="ClassificationCost", weight=1.0),
        dict(type="BBoxL1Cost", weight=5.0, box_format="xywh"),
        dict(type="IoUCost", weight=2.0, iou_mode="giou"),
    )

    SIDE = 1000  # mmdet's costs want pixels; none depends on the unit, so every image is a square of these

    def __init__(self, costs: list[dict] | None = None):
        self.costs = [TASK_UTILS.build(cost) for cost in (costs or self.DEFAULT_COSTS)]

    @torch.no_grad()
    def __call__(self, logits: Tensor, boxes: Tensor, labels: Tensor, targets: InstanceTargets) -> Assignment:
        """Match.

        Args:
            logits (Tensor): (L, B, I, K) of the predicted instances.
            boxes (Tensor): (L, B, I, 4) centre x, centre y, width, height relative to the image.
            labels (Tensor): (B, G) long, column of ``logits`` for each annotation (padding is not read).
            targets (InstanceTargets): annotated instances.

        Raises:
            FloatingPointError: a cost is not finite, here or in another process; names the image's file.
        """
        num_layers, num_images, num_queries, _ = logits.shape
        # mmdet's costs take one image at a time; its layers go in as if they were more queries
        costs = [
            self._cost(logits[:, i].flatten(0, 1), boxes[:, i].flatten(0, 1), labels[i], targets, i).flatten()
            for i in range(num_images)
        ]
        sizes = [cost.numel() for cost in costs]
        costs = torch.cat(costs).cpu().split(sizes)  # the one host synchronisation
        shaped = [
            cost.view(num_layers, num_queries, count).numpy() for cost, count in zip(costs, targets.counts, strict=True)
        ]
        return solve(shaped, targets.names, logits.device)

    def _cost(self, logits: Tensor, boxes: Tensor, labels: Tensor, targets: InstanceTargets, image: int) -> Tensor:
        """(queries, annotations of the image)."""
        count = targets.counts[image]
        predicted = InstanceData(scores=logits, bboxes=self.SIDE * cxcywh_to_xyxy(boxes))
        annotated = InstanceData(labels=labels[:count], bboxes=self.SIDE * cxcywh_to_xyxy(targets.boxes[image, :count]))
        meta = dict(img_shape=(self.SIDE, self.SIDE))
        return sum(cost(pred_instances=predicted, gt_instances=annotated, img_meta=meta) for cost in self.costs)
