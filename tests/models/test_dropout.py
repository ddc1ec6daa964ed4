"""Dropout on a CPU: the definition of PyTorch's, from fewer random numbers."""

import pytest
import torch
from torch import nn

from hqm_mmdet.models.layers import FusedAttention
from hqm_mmdet.models.layers.dropout import Dropout, dropout, with_own_dropout


@pytest.mark.parametrize("dtype", (torch.float32, torch.bfloat16))
@pytest.mark.parametrize("p", (0.1, 0.5))
def test_elements_are_zero_or_scaled(p, dtype):
    torch.manual_seed(0)
    x = torch.ones(333, 1001, dtype=dtype, requires_grad=True)
    y = dropout(x, p, True)
    kept = y != 0
    torch.testing.assert_close(y[kept], torch.full_like(y[kept], 1 / (1 - p)), rtol=1e-4 if p == 0.1 else 0, atol=0)
    for share in kept.float().mean(), kept.float()[:, ::4].mean(), kept.float()[0:100].mean():
        assert share.item() == pytest.approx(1 - p, abs=5e-3)
    assert dropout(x, p, True).ne(y).any()
    y.sum().backward()
    torch.testing.assert_close(x.grad, y.detach())


def test_the_generator_decides():
    x = torch.ones(7, 5)
    results = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        results.append(dropout(x, 0.5, True))
    assert torch.equal(results[0], results[1]) and not torch.equal(results[0], results[2])


@pytest.mark.parametrize(("p", "training"), ((0.0, True), (0.3, False)))
def test_nothing_happens(p, training):
    x = torch.randn(3, 4)
    assert torch.equal(Dropout(p).train(training)(x), x)


def test_certain_dropout_leaves_zeros():
    assert dropout(torch.ones(3), 1.0, True).eq(0).all()


def test_layers_of_other_libraries_get_it():
    module = with_own_dropout(nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Dropout(0.3)), nn.Dropout2d(0.2)))
    assert type(module[1][0]) is Dropout and module[1][0].p == 0.3
    assert type(module[2]) is nn.Dropout2d


@pytest.mark.parametrize("kind", (None, bool, float))
def test_attention_drops_weights(kind):
    """With unit vectors as values, attention returns its weights."""
    torch.manual_seed(0)
    attention = FusedAttention(32, 4, dropout=0.5).train()
    queries, keys = torch.randn(2, 4, 6, 8), torch.randn(2, 4, 8, 8)
    visible = torch.rand(2, 1, 1, 8) < 0.7
    visible[..., 0] = True
    mask = {None: None, bool: visible, float: torch.zeros(visible.shape).masked_fill(~visible, float("-inf"))}[kind]
    values = torch.eye(8).expand(2, 4, 8, 8)
    dropped = attention._attend(queries, keys, values, mask)
    whole = attention.eval()._attend(queries, keys, values, mask)
    kept = dropped != 0
    assert 0.3 < kept.sum() / whole.ne(0).sum() < 0.7
    torch.testing.assert_close(dropped[kept], 2 * whole[kept])
