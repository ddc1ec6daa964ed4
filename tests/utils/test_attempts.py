"""Attempts of a run share a store, and nothing in it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from torch.distributed import HashStore

from hqm_mmdet.utils.attempts import JoinError, agree_on_attempt


def attempt(store, ranks, world_size=3):
    """Numbers that the processes of an attempt get."""
    with ThreadPoolExecutor(len(ranks)) as pool:
        return list(pool.map(lambda rank: agree_on_attempt(store, rank, world_size), ranks))


def new_store(seconds=60.0):
    store = HashStore()
    store.set_timeout(timedelta(seconds=seconds))
    return store


@pytest.mark.parametrize("order", ((0, 1, 2), (2, 1, 0)))
def test_attempts_are_numbered_alike_in_all_processes(order):
    store = new_store()
    assert [attempt(store, order) for _ in range(3)] == [[1] * 3, [2] * 3, [3] * 3]


def test_an_attempt_that_never_became_complete_disturbs_no_later_one():
    store = new_store(0.1)
    with pytest.raises(JoinError, match="Processes 2 did not come.*NNODES, MASTER_ADDR and PORT"):
        attempt(store, (0, 1))
    store.set_timeout(timedelta(seconds=60))
    assert attempt(store, (1, 2, 0)) == [2] * 3
