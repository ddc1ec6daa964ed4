"""Whose turn it is depends on the iteration alone."""

from types import SimpleNamespace

import pytest

from hqm_mmdet.engine import AJLHook
from hqm_mmdet.errors import ConfigError
from tests.models.tiny import tiny_model

MINING = dict(
    type="JointLearning",
    miners=dict(gbs=dict(type="GBSQueryGenerator", embed_dims=32), amm=dict(type="AMMQueryGenerator")),
    rounds=[["gbs"], ["amm"]],
)


def runner(iteration, accumulated=1, query_mining=MINING):
    wrapper = SimpleNamespace(_accumulative_counts=accumulated)
    return SimpleNamespace(
        iter=iteration,
        optim_wrapper=wrapper,
        model=tiny_model(query_mining=query_mining),
        train_dataloader=range(3),  # three batches per epoch
        max_iters=12,
    )


def turn(hook, run):
    hook.before_train_iter(run, run.iter % len(run.train_dataloader))
    return run.model.query_mining.chains()[0][0][0]


@pytest.mark.parametrize("accumulated,expected", ((1, "gaga" * 2), (2, "ggaa" * 2)))
def test_rounds_alternate_by_weight_update(accumulated, expected):
    assert "".join(turn(AJLHook(), runner(iteration, accumulated)) for iteration in range(8)) == expected


def test_rounds_restart_in_every_epoch_as_released():
    assert "".join(turn(AJLHook(restart=True), runner(iteration)) for iteration in range(8)) == "gag" * 2 + "ga"


@pytest.mark.parametrize("accumulated", (1, 2, 3, 4, 7))
@pytest.mark.parametrize("restart", (False, True))
def test_an_update_never_changes_its_round(accumulated, restart):
    """Also where an epoch (three batches) ends inside an update, or is shorter than one."""
    hook = AJLHook(restart)
    rounds = [turn(hook, runner(iteration, accumulated)) for iteration in range(6 * accumulated)]
    updates = [set(rounds[i : i + accumulated]) for i in range(0, len(rounds), accumulated)]
    assert all(len(update) == 1 for update in updates)
    if not restart:
        assert [update.pop() for update in updates] == ["g", "a"] * 3


def test_restart_counts_the_updates_that_an_epoch_began():
    expected = "ggaagg" * 2  # epochs of three batches: the second begins inside the update of its first two
    assert "".join(turn(AJLHook(restart=True), runner(iteration, 2)) for iteration in range(12)) == expected


@pytest.mark.parametrize(
    ("first_alone", "accumulated", "expected"),
    ((0.5, 1, "gggggg" + "gagaga"), (0.5, 4, "gggggggg" + "gggg"), (0.3, 2, "gggg" + "ggaaggaa"), (1, 1, "g" * 12)),
)
def test_the_first_round_alone_in_a_share_of_the_training(first_alone, accumulated, expected):
    hook = AJLHook(first_alone=first_alone)
    assert "".join(turn(hook, runner(iteration, accumulated)) for iteration in range(12)) == expected


@pytest.mark.parametrize("share", (-0.1, 18))
def test_a_share_is_no_number_of_epochs(share):
    with pytest.raises(ConfigError, match=r"share of the training.*\[0, 1\]"):
        AJLHook(first_alone=share)


def test_model_without_mining_is_refused():
    with pytest.raises(ValueError, match="query_mining"):
        AJLHook().before_train(runner(0, query_mining=None))
