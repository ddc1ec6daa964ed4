"""Training a part of a model."""

import pytest
import torch
from mmengine.registry import DefaultScope
from torch import nn

from hqm_mmdet.models import QPIC
from tests.models.tiny import random_batch, tiny_config, tiny_model

SECOND_STAGE = [r"decoder\.", r"^bbox_head\."]


def test_only_what_is_named_learns():
    model = tiny_model(trainable=SECOND_STAGE)
    inputs, samples = random_batch([2, 1])
    before = {name: value.clone() for name, value in model.named_parameters()}
    optimizer = torch.optim.AdamW(model.parameters(), 0.01)
    sum(model(inputs, samples, mode="loss").values()).backward()
    optimizer.step()
    for name, value in model.named_parameters():
        learns = name.startswith(("decoder.", "bbox_head."))
        assert value.requires_grad == learns and (value.grad is not None) == learns, name
        if not learns:
            assert torch.equal(value, before[name]), name  # no weight decay either
    assert not torch.equal(model.bbox_head.obj_cls.weight, before["bbox_head.obj_cls.weight"])


def test_frozen_memory_is_without_history_and_in_training_mode():
    model = tiny_model(trainable=SECOND_STAGE)
    memory = model.encode(*random_batch([1]))
    assert not memory.tokens.requires_grad
    assert all(m.training for m in model.encoder.modules() if not isinstance(m, nn.BatchNorm2d))


def test_what_is_frozen_elsewhere_stays_frozen():
    model = tiny_model(trainable=["."])
    frozen = {name for name, value in model.named_parameters() if not value.requires_grad}
    assert frozen == {name for name, value in tiny_model().named_parameters() if not value.requires_grad}


def test_parts_that_a_subclass_adds_are_frozen_too():
    class Extended(QPIC):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.extra = nn.Linear(2, 2)

    config = tiny_config().model
    config.pop("type")
    with DefaultScope.overwrite_default_scope("hqm_mmdet"):
        model = Extended(**config, trainable=["^bbox_head"])
    assert not model.extra.weight.requires_grad and model.bbox_head.obj_cls.weight.requires_grad


def test_pattern_without_a_parameter_is_refused():
    with pytest.raises(ValueError, match=r"head_of_old.*no parameter name.*bbox_head"):
        tiny_model(trainable=["decoder", "head_of_old"])
