"""One line of a config compiles a detector, another one saves memory; losses, gradients and names stay."""

import copy

import pytest
import torch

from benchmarks.train_step import activations
from hqm_mmdet.models.execution import choose_kernels
from tests.models.test_query_mining import mining
from tests.models.tiny import random_batch, tiny_model, total

BATCH = random_batch([2, 1])


@pytest.fixture(autouse=True)
def fresh_compiler():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def losses_and_gradients(model):
    torch.manual_seed(0)  # how boxes are shifted
    losses = model(*BATCH, mode="loss")
    total(losses).backward()
    return losses, {name: p.grad for name, p in model.named_parameters() if p.requires_grad}


@pytest.mark.parametrize("line", (dict(checkpointed=True), dict(compiled=dict(backend="eager"))), ids=str)
def test_training_is_that_of_the_plain_model(line):
    plain, model = (tiny_model(query_mining=mining("gbs"), **options) for options in ({}, line))
    assert list(model.state_dict()) == list(plain.state_dict())
    for got, expected in zip(losses_and_gradients(model), losses_and_gradients(plain), strict=True):
        for name, value in expected.items():
            torch.testing.assert_close(got[name], value, msg=name)


def test_inference_is_that_of_the_plain_model():
    plain, model = (tiny_model(**options).eval() for options in ({}, dict(compiled=dict(backend="eager"))))
    with torch.inference_mode():
        expected, got = (each(*BATCH, mode="tensor") for each in (plain, model))
    for name, value in expected.items():
        torch.testing.assert_close(got[name], value, msg=name)


def test_checkpointing_keeps_less():
    plain, saving = (activations(tiny_model(checkpointed=saves), BATCH) for saves in (False, True))
    assert saving < 0.6 * plain


def test_a_copy_computes_by_itself():
    """As averaged models are made."""
    model = tiny_model(checkpointed=True)
    copied = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert total(copied(*BATCH, mode="loss")) != total(model(*BATCH, mode="loss"))


@torch.no_grad()
def test_pointwise_kernels_are_chosen_by_the_device(monkeypatch):
    """By a dilation, which a kernel of one pixel does not notice."""
    model, dilations = tiny_model().eval(), []
    outputs = []
    for threads in (1, 2):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        outputs.append(model(*BATCH, mode="tensor"))
        dilations.append({convolution.dilation for convolution in model.pointwise})
    assert dilations == [{(2, 2)}, {(1, 1)}]
    for name, value in outputs[0].items():
        torch.testing.assert_close(outputs[1][name], value, msg=name)
    choose_kernels(model.pointwise, torch.device("cuda"))
    assert all(convolution.dilation == (1, 1) for convolution in model.pointwise)
