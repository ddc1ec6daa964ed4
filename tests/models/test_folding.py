"""Batch norms folded into convolutions change no prediction."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from hqm_mmdet.engine.hooks import fold_norms_hook
from hqm_mmdet.models.folding import fold_norms
from tests.models.tiny import random_batch, tiny_model


def normed_model():
    """With statistics and scales as trained ones, not those of initialisation."""
    model = tiny_model().eval()
    generator = torch.Generator().manual_seed(1)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values in (module.running_mean, module.running_var, module.weight.data, module.bias.data):
                values.copy_(0.5 + torch.rand(values.shape, generator=generator))
    return model


def norms(model):
    return sum(isinstance(module, nn.BatchNorm2d) for module in model.modules())


@torch.no_grad()
def test_predictions_stay():
    model, batch = normed_model(), random_batch([1, 2])
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
