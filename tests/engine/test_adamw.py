"""FusedAdamW computes what torch's AdamW does."""

import pytest
import torch

from hqm_mmdet.engine import FusedAdamW


def trained(optimizer_class, **kwargs):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    optimizer = optimizer_class(model.parameters(), lr=1e-2, weight_decay=1e-2, **kwargs)
    for _ in range(10):
        optimizer.zero_grad()
        model(torch.randn(16, 4)).square().mean().backward()
        optimizer.step()
    return torch.cat([p.detach().flatten() for p in model.parameters()]), optimizer


def test_same_weights_as_torchs():
    (fused, optimizer), (plain, _) = trained(FusedAdamW), trained(torch.optim.AdamW)
    torch.testing.assert_close(fused, plain, rtol=1e-5, atol=1e-6)
    assert optimizer.defaults["fused"]


def test_a_torch_without_the_kernel_takes_the_plain_way(monkeypatch):
    real = torch.optim.AdamW.__init__

    def refuse(self, params, fused=None, **kwargs):
        if fused:
            raise RuntimeError("`fused=True` requires all the params to be on a supported device")
        real(self, params, **kwargs)

    monkeypatch.setattr(torch.optim.AdamW, "__init__", refuse)
    weights, optimizer = trained(FusedAdamW)
    assert not optimizer.defaults["fused"] and torch.isfinite(weights).all()


def test_other_errors_are_not_swallowed():
    with pytest.raises(ValueError, match="learning rate"):
        FusedAdamW([torch.nn.Parameter(torch.zeros(1))], lr=-1.0)
