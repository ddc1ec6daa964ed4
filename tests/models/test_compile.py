"""Decoders under ``torch.compile``: no break in a graph, and the same losses.

The backend runs the captured graph as it is, so no compiler is needed.
"""

import pytest
import torch

from tests.models.test_query_mining import mining
from tests.models.tiny import assert_every_parameter_takes_part, random_batch, tiny_model


@pytest.fixture
def graphs():
    """Captured graphs, and a function that compiles a model's decoders; breaks in a graph are errors."""
    torch._dynamo.reset()
    captured = []

    def backend(graph, example_inputs):
        captured.append(graph)
        return graph.forward

    def compile_decoders(model):
        for name in model.DECODERS:
            decoder = getattr(model, name)
            decoder.forward = torch.compile(decoder.forward, backend=backend, fullgraph=True, dynamic=False)

    yield captured, compile_decoders
    torch._dynamo.reset()


@pytest.mark.parametrize("detector", ("QPIC", "CDN", "ConditionalHOI"))
@pytest.mark.parametrize("reference", ("learnable", "own", "random"))
def test_losses_with_mining_are_those_of_the_eager_model(graphs, detector, reference):
    captured, compile_decoders = graphs
    model = tiny_model(type=detector, query_mining=mining("pjl", amm=dict(reference=reference)))
    batch = random_batch([2, 3], sizes=[(64, 80), (96, 48)])
    torch.manual_seed(0)
    expected = model(*batch, mode="loss")
    compile_decoders(model)
    torch.manual_seed(0)  # what is masked
    losses = model(*batch, mode="loss")
    assert len(captured) > 1  # masked queries take another graph than the rest; decoders may share theirs
    for name, value in expected.items():
        torch.testing.assert_close(losses[name], value, msg=name)
    assert_every_parameter_takes_part(model, batch)


def test_inference_is_that_of_the_eager_model(graphs):
    captured, compile_decoders = graphs
    model, batch = tiny_model().eval(), random_batch([1, 2])
    expected = model(*batch, mode="tensor")
    compile_decoders(model)
    for name, value in model(*batch, mode="tensor").items():
        torch.testing.assert_close(value, expected[name])
    assert len(captured) == 1
