"""DETR's two layers on instance queries, for heads whose pairs point to instances."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmdet.models.layers import MLP
from mmengine.model import BaseModule
from torch import Tensor, nn

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.models.layers import Instances
from hqm_mmdet.models.losses import box_terms, mean_over_processes
from hqm_mmdet.models.task_modules import Assignment, InstanceTargets
from hqm_mmdet.registry import MODELS, TASK_UTILS


@MODELS.register_module()
class InstanceHead(BaseModule):
    """Class and box of instances, their matching and losses.

    Not mmdet's ``DETRHead``: that one recomputes its outputs and matches again in each of its entry points, where here
    one match serves pointers and losses.

    Args:
        num_obj_classes (int): C, labels.
        embed_dims (int): D. Default 256.
        num_logits (int, optional): K, outputs of the class layer; the last is "no object". Default: C + 1. Official
            DETR has 92.
        class_columns (Sequence[int], optional): output of the class layer for each label. Default: the labels. For
            official DETR: COCO ids.
        labels_as_columns (bool): match by using labels as columns in spite of ``class_columns``: official HOTR does so
            on HICO-DET, where person, 0, reads an output that no COCO class uses. Default False.
        bg_weight (float): weight of "no object" in the class loss. Default 0.1.
        loss_bbox, loss_iou (dict, optional): loss modules. Default: DETR's.
        matcher (dict, optional): config of the matcher. Default: :class:`InstanceMatcher`.
        init_cfg (dict, optional): as in mmengine. Default None.

    Raises:
        ConfigError: ``class_columns`` do not fit.
    """

    def __init__(
        self,
        num_obj_classes: int,
        embed_dims: int = 256,
        num_logits: int | None = None,
        class_columns: Sequence[int] | None = None,
        labels_as_columns: bool = False,
        bg_weight: float = 0.1,
        loss_bbox: dict | None = None,
        loss_iou: dict | None = None,
        matcher: dict | None = None,
        init_cfg: dict | None = None,
    ):
        super().__init__(init_cfg)
        num_logits = num_logits or num_obj_classes + 1
        columns = list(range(num_obj_classes)) if class_columns is None else list(class_columns)
        if len(columns) != num_obj_classes or not set(columns) <= set(range(num_logits - 1)):
            raise ConfigError(
                f"class_columns needs one of the {num_logits} outputs of the class layer, not the last, for each of "
                f"{num_obj_classes} labels, got {columns}."
            )
        self.cls = nn.Linear(embed_dims, num_logits)
        self.box = MLP(embed_dims, embed_dims, 4, 3)
        self.labels_as_columns = labels_as_columns
        self.loss_bbox = MODELS.build(loss_bbox or dict(type="L1Loss", loss_weight=5.0))
        self.loss_iou = MODELS.build(loss_iou or dict(type="GIoULoss", loss_weight=2.0))
        self.matcher = TASK_UTILS.build(matcher or dict(type="InstanceMatcher"))
        weights = torch.ones(num_logits)
        weights[-1] = bg_weight
        self.register_buffer("class_weights", weights, persistent=False)
        # the last column, "no object", stands for the label after the last
        self.register_buffer("columns", torch.tensor([*columns, num_logits - 1]), persistent=False)

    def forward(self, states: Tensor) -> Instances:
        """Instances from states (L', B, I, D) of the instance decoder; all float32, under autocast too."""
        embeddings = F.normalize(states[-1].float(), dim=-1)
        return Instances(embeddings, self.cls(states).float(), self.box(states).float().sigmoid())

    def assign(self, logits: Tensor, boxes: Tensor, targets: InstanceTargets) -> Assignment:
        """Match predictions (L', B, I, ...) with annotations, separately for every layer."""
        columns = targets.labels if self.labels_as_columns else self.columns[targets.labels]
        return self.matcher(logits, boxes, columns, targets)

    def loss(self, logits: Tensor, boxes: Tensor, targets: InstanceTargets, assigned: Assignment) -> dict[str, Tensor]:
        """DETR's losses.

        Args:
            logits (Tensor): (L', B, I, K).
            boxes (Tensor): (L', B, I, 4) centre x, centre y, width, height relative to the image.
            targets (InstanceTargets): annotated instances.
            assigned (Assignment): which query stands for which of them.

        Returns:
            dict[str, Tensor]: (L',) each, times their weights; averaged over processes.
        """
        nothing = torch.full(logits.shape[:3], logits.shape[-1] - 1, device=logits.device)
        labels = assigned.put(nothing, self.columns[assigned.of_targets(targets, "labels")])
        losses = F.cross_entropy(logits.flatten(0, 2), labels.flatten(), self.class_weights, reduction="none")
        divisor = mean_over_processes(self.class_weights[labels].sum((1, 2)))
        num_boxes = mean_over_processes(boxes.new_tensor(float(len(assigned.image))))
        labelled = assigned.of_targets(targets, "boxes")
        l1, giou = box_terms(self.loss_bbox, self.loss_iou, assigned.of_queries(boxes), labelled)
        return {
            "loss_instance_cls": losses.view_as(labels).sum((1, 2)) / divisor,
            "loss_instance_bbox": l1.sum(1) / num_boxes,
            "loss_instance_iou": giou.sum(1) / num_boxes,
        }
