"""Batch norms folded into convolutions change no prediction, and no gradient."""

import copy
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from hqm_mmdet.apis import build_model
from hqm_mmdet.engine.hooks import fold_norms_hook
from hqm_mmdet.models.folding import FrozenNorms, fold_norms
from tests.models.tiny import random_batch, tiny_config, tiny_model, total


def normed_model(frozen=False, **options):
    """With statistics and scales as trained ones, not those of initialisation."""
    cfg = tiny_config(**options)
    cfg.model.backbone.norm_cfg = dict(type="BN", requires_grad=not frozen)
    torch.manual_seed(0)
    model = build_model(cfg).eval()
    generator = torch.Generator().manual_seed(1)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values in (module.running_mean, module.running_var, module.weight.data, module.bias.data):
                values.copy_(0.5 + torch.rand(values.shape, generator=generator))
    return model


def norms(model):
    return sum(isinstance(module, nn.BatchNorm2d) for module in model.modules())


@torch.no_grad()
@pytest.mark.parametrize("frozen", (True, False))
def test_predictions_stay(frozen):
    model, batch = normed_model(frozen), random_batch([1, 2])
    expected = model(*batch, mode="tensor")
    assert norms(model) > 10 and norms(fold_norms(model)) == 0
    for name, value in model(*batch, mode="tensor").items():
        torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-5)


def test_a_model_without_backbone_is_left_alone():
    layer = nn.Linear(2, 2)
    assert fold_norms(layer) is layer


@pytest.mark.parametrize("trains", (True, False))
def test_a_runner_that_trains_keeps_them(trains, monkeypatch):
    monkeypatch.setattr(fold_norms_hook, "is_training", lambda runner: trains)
    model = tiny_model()
    fold_norms_hook.FoldNormsHook().before_test(SimpleNamespace(model=model))
    assert (norms(model) > 0) == trains


def backbone_gradients(model, batch):
    """Of a loss, and how often a batch norm was computed."""
    with torch.profiler.profile() as profile:
        total(model.train()(*batch, mode="loss")).backward()
    computed = sum(each.count for each in profile.key_averages() if each.key == "aten::native_batch_norm")
    return {name: p.grad for name, p in model.backbone.named_parameters() if p.requires_grad}, computed


@pytest.mark.parametrize("options", ({}, dict(checkpointed=True), dict(compiled=dict(backend="eager"))), ids=str)
def test_frozen_norms_are_folded_while_convolutions_learn(options, monkeypatch):
    model, batch = normed_model(frozen=True, **options), random_batch([1, 2])
    with monkeypatch.context() as context:
        context.setattr(FrozenNorms, "_install", lambda *_: None)
        plain = normed_model(frozen=True)
    assert list(model.state_dict()) == list(plain.state_dict())
    (expected, unfolded), (got, folded) = (backbone_gradients(each, batch) for each in (plain, model))
    assert unfolded > 10 and folded == 0
    assert expected.keys() == got.keys() and len(got) > 10
    for name, gradient in expected.items():
        torch.testing.assert_close(got[name], gradient, rtol=1e-3, atol=1e-5, msg=name)
    copied, _ = backbone_gradients(copy.deepcopy(model).requires_grad_(True), batch)  # after a pass, too
    assert copied.keys() > got.keys()


def test_norms_that_learn_are_left_alone():
    batch = random_batch([1, 2])
    assert backbone_gradients(normed_model(), batch)[1] > 10  # scales
    model = normed_model(frozen=True)
    model.backbone.norm_eval = False
    before = model.backbone.bn1.running_mean.clone()
    assert backbone_gradients(model, batch)[1] > 10  # statistics
    assert not torch.equal(model.backbone.bn1.running_mean, before)
