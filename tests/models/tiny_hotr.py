"""A HOTR small enough for tests; batches are those of ``tiny``."""

import torch

from hqm_mmdet.apis import build_model
from tests.models.tiny import NUM_CLASSES, NUM_VERBS, tiny_config

NUM_INSTANCES = 24
NUM_LOGITS, COLUMNS = 7, [1, 2, 4, 5]  # as DETR's class layer: more outputs than classes


def tiny_hotr_config(head=None, instance_head=None, **options):
    """Config; ``head`` and ``instance_head`` change theirs, frozen as in the official recipe."""
    cfg = tiny_config(type="HOTR", **(dict(num_instances=NUM_INSTANCES) | options))
    instance_head = dict(num_logits=NUM_LOGITS, class_columns=COLUMNS) | (instance_head or {})
    sizes = dict(num_obj_classes=NUM_CLASSES, num_verbs=NUM_VERBS, embed_dims=32)
    cfg.model.bbox_head = dict(type="HOTRHead", **sizes, instance_head=instance_head, **(head or {}))
    return cfg


def tiny_hotr(seed=0, freeze_instances=False, **options):
    """Model in training mode; all of it learns unless frozen."""
    torch.manual_seed(seed)
    return build_model(tiny_hotr_config(freeze_instances=freeze_instances, **options)).train()
