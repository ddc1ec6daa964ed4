"""Half precision: what mining ranks stays float32, and fp16 with loss scaling trains."""

import pytest
import torch
from mmengine.optim import AmpOptimWrapper

from hqm_mmdet.models.query_mining import MaskRule
from tests.models.test_query_mining import mining
from tests.models.tiny import NUM_QUERIES, random_batch, tiny_model
from tests.models.tiny_hotr import tiny_hotr

HALF = (torch.float16, torch.bfloat16)


def detector(name, strategy):
    options = dict(query_mining=mining(strategy))
    return tiny_hotr(**options) if name == "HOTR" else tiny_model(type=name, **options)


@pytest.fixture
def large():
    """A cross-attention, and projections whose product is far beyond fp16's largest number, 65504."""
    attention = tiny_model().decoder.layers[0].cross_attn
    torch.manual_seed(0)
    return attention, *(300 * torch.randn(1, 4, count, 8).half() for count in (NUM_QUERIES, 40))


@pytest.mark.parametrize("dtype", HALF)
def test_logits_are_those_of_float32(large, dtype):
    attention, queries, keys = large
    assert torch.isinf(queries @ keys.transpose(-2, -1)).any()  # what autocast would compute in fp16
    with torch.autocast("cpu", dtype=dtype):
        logits = attention.logits(queries.to(dtype), keys.to(dtype))
    expected = queries.to(dtype).double() @ keys.to(dtype).double().transpose(-2, -1) / 8**0.5
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits.double(), expected, rtol=1e-4, atol=0.1)


@pytest.mark.parametrize("dtype", HALF)
def test_the_most_attended_positions_are_dropped_whatever_the_precision(large, dtype):
    attention, queries, keys = large
    amm = tiny_model(query_mining=mining("amm", amm=dict(reference="own", top_k=5, gamma=0.99))).query_mining.miners.amm
    with torch.autocast("cpu", dtype=dtype):
        dropped = MaskRule(amm)(attention, queries.to(dtype), keys.to(dtype), None)
    exact = queries.to(dtype).double() @ keys.to(dtype).double().transpose(-2, -1)
    largest = torch.zeros_like(dropped).scatter_(-1, exact.topk(5).indices, True)
    assert (dropped.sum(-1) == 4).all() and not (dropped & ~largest).any()


@pytest.mark.parametrize("strategy,renormalise", (("pjl", True), ("cjl", True), ("amm", False)))
@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("name", ("QPIC", "CDN", "ConditionalHOI", "HOTR"))
def test_losses_stay_close_to_float32_and_gradients_are_finite(name, dtype, strategy, renormalise):
    model = detector(name, strategy)
    model.query_mining.miners.amm.renormalise = renormalise
    model.query_mining.miners.amm.gamma = 0.0  # among other ranks, a draw masks other positions
    batch = random_batch([2, 1], absent=1)
    torch.manual_seed(0)  # how boxes are shifted
    exact = model(*batch, mode="loss")
    torch.manual_seed(0)
    with torch.autocast("cpu", dtype=dtype):
        mixed = model(*batch, mode="loss")
    for key, value in exact.items():
        if "obj_cls" not in key or name != "HOTR":  # that one hangs on which instance is the argmax
            torch.testing.assert_close(mixed[key], value, rtol=0.1, atol=0.1, msg=key)
    sum(mixed.values()).backward()
    for key, parameter in model.named_parameters():
        assert not parameter.requires_grad or torch.isfinite(parameter.grad).all(), key


@pytest.mark.parametrize("name", ("QPIC", "CDN", "ConditionalHOI", "HOTR"))
def test_fp16_with_loss_scaling_trains(name):
    """What ``AmpOptimWrapper`` does, which itself wants a GPU: autocast, scaled loss, unscaled gradients, clipping."""
    model, batch = detector(name, "pjl"), random_batch([2, 1])
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    scaler = torch.amp.GradScaler("cpu", init_scale=16.0)  # gradients of the random start have norms up to 6300
    history = []
    for _ in range(12):
        with torch.autocast("cpu", dtype=torch.float16):
            loss = sum(model(*batch, mode="loss").values())
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        assert torch.isfinite(loss) and torch.isfinite(norm)
        scaler.step(optimizer)
        scaler.update()
        history.append(loss.item())
    assert min(history[-3:]) < 0.95 * history[0] and scaler.get_scale() == 16.0  # no step was skipped


@pytest.mark.skipif(not torch.cuda.is_available(), reason="mmengine's AmpOptimWrapper wants a GPU")
def test_amp_optim_wrapper_in_fp16():
    model, (inputs, samples) = detector("QPIC", "pjl").cuda(), random_batch([2, 1])
    wrapper = AmpOptimWrapper(
        dtype="float16", loss_scale="dynamic", optimizer=torch.optim.AdamW(model.parameters(), 1e-3)
    )
    samples = [sample.cuda() for sample in samples]
    for _ in range(4):
        with wrapper.optim_context(model):
            losses = model(inputs.cuda(), samples, mode="loss")
        assert all(torch.isfinite(value) for value in losses.values())
        wrapper.update_params(sum(losses.values()))
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())
