"""How many operations a training step dispatches: small kernels cost launches, not arithmetic."""

import pytest

from benchmarks.launches import count_step, warmed_up
from tests.models.test_query_mining import mining
from tests.models.tiny import random_batch, tiny_model

# Generous: about 1.2 times what the steps took when this was written (1089, 4843, 1868).
BUDGETS = {None: 1300, "gbs": 5800, "amm": 2300}


def step(strategy, counts):
    model, batch = tiny_model(query_mining=mining(strategy) if strategy else None), random_batch(counts)
    return count_step(warmed_up(model, batch), batch)


@pytest.mark.parametrize("strategy", BUDGETS)
def test_step_stays_within_its_budget(strategy):
    counter = step(strategy, [2, 3])
    assert 100 < counter.total <= BUDGETS[strategy], counter.counts.most_common(10)


@pytest.mark.parametrize("strategy", BUDGETS)
def test_more_pairs_are_not_more_operations(strategy):
    assert step(strategy, [6, 7]).total == step(strategy, [2, 3]).total
