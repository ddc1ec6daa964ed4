"""The tiny QPIC with re-weighting, and HQM's mining for it."""

import torch

from hqm_mmdet.apis import build_model
from tests.models.tiny import NUM_CLASSES, NUM_VERBS, tiny_config

HQM = dict(
    type="JointLearning",
    miners=dict(gbs=dict(type="GBSQueryGenerator", embed_dims=32), amm=dict(type="AMMQueryGenerator", top_k=20)),
    rounds=[["gbs"], ["amm"]],
)


def reweighted_config(**options):
    config = tiny_config(**options)
    config.model.bbox_head.obj_reweighting = dict(type="DynamicReweighting", queue_size=9)
    config.model.bbox_head.verb_reweighting = dict(type="DynamicReweighting", queue_size=9)
    return config


def reweighted_model(seed=0, **options):
    torch.manual_seed(seed)
    model = build_model(reweighted_config(**options)).train()
    model.bbox_head.obj_reweighting.set_initial_counts(torch.arange(1, NUM_CLASSES + 1))
    model.bbox_head.verb_reweighting.set_initial_counts(torch.arange(1, NUM_VERBS + 1))
    return model
