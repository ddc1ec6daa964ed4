"""Whose turn it is depends on the iteration alone."""

from types import SimpleNamespace

import pytest

from hqm_mmdet.engine import AJLHook
from tests.models.tiny import tiny_model

MINING = dict(
    type="JointLearning",
    miners=dict(gbs=dict(type="GBSQueryGenerator", embed_dims=32), amm=dict(type="AMMQueryGenerator")),
    rounds=[["gbs"], ["amm"]],
)


def runner(iteration, accumulated=1, query_mining=MINING):
    wrapper = SimpleNamespace(_accumulative_counts=accumulated)
    return SimpleNamespace(iter=iteration, optim_wrapper=wrapper, model=tiny_model(query_mining=query_mining))


@pytest.mark.parametrize("accumulated,expected", ((1, "gaga" * 2), (2, "ggaa" * 2)))
def test_rounds_alternate_by_weight_update(accumulated, expected):
    turns = []
    for iteration in range(8):
        run = runner(iteration, accumulated)
        AJLHook().before_train_iter(run, iteration)
        turns.append(run.model.query_mining.chains()[0][0][0])
    assert "".join(turns) == expected


def test_model_without_mining_is_refused():
    with pytest.raises(ValueError, match="query_mining"):
        AJLHook().before_train(runner(0, query_mining=None))
