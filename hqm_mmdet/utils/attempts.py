"""Attempts of a run that torchrun restarts: a store without what the attempt before left in it."""

import os
import time
import uuid
from datetime import timedelta

from torch.distributed import PrefixStore, Store, TCPStore

from hqm_mmdet.errors import UserError


class JoinError(UserError, TimeoutError):
    """Processes that never came."""


def has_agent_store() -> bool:
    """Whether torchrun keeps the store by which processes find each other."""
    return os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"


def join_attempt(timeout: timedelta) -> tuple[Store, float | None]:
    """The store of this attempt, and when the run began if this is not its first attempt.

    torchrun's store outlives a restart, and torch reads whatever stands under its keys: addresses of processes that are
    gone (https://github.com/pytorch/pytorch/issues/135712). So each attempt gets a name of its own in the store.

    Args:
        timeout (timedelta): how long to wait for the other processes.

    Raises:
        JoinError: a process did not come in time.
    """
    rank, world_size, port = (int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "MASTER_PORT"))
    store = TCPStore(os.environ["MASTER_ADDR"], port, world_size, is_master=False, timeout=timeout)
    number = agree_on_attempt(store, rank, world_size)
    # the first process ever to write it is one of the first attempt
    begun = float(store.compare_set("hqm/begun", "", str(time.time())))
    return PrefixStore(f"hqm/attempt_{number}", store), begun if number > 1 else None


def agree_on_attempt(store: Store, rank: int, world_size: int) -> int:
    """Number of this attempt, the same in all of its processes.

    ``TORCHELASTIC_RESTART_COUNT`` does not tell: each machine counts its own restarts. The first process numbers the
    attempts; the others ask it by a word that no former process used, so that no former answer is taken for theirs.

    Args:
        store (Store): that may hold words and answers of former attempts.
        rank (int): of this process.
        world_size (int): number of processes.

    Raises:
        JoinError: a process did not come within the store's timeout.
    """
    if rank == 0:
        number = store.add("hqm/attempts", 1)
        _answer(store, number, set(range(1, world_size)))
        return number
    word = uuid.uuid4().hex
    store.set(f"hqm/word_of_{rank}", word)
    number = int(store.get(f"hqm/answer_to_{word}"))  # waits for it
    store.set(f"hqm/attempt_{number}/{rank}_is_here", "")
    return number


def _answer(store: Store, number: int, missing: set[int]) -> None:
    """Tell the number to all who ask, until every process is here; former ones may be told, too, but can't come."""
    deadline = time.monotonic() + store.timeout.total_seconds()
    while missing := {rank for rank in missing if not store.check([f"hqm/attempt_{number}/{rank}_is_here"])}:
        for rank in missing:
            if store.check([f"hqm/word_of_{rank}"]):
                store.set(f"hqm/answer_to_{store.get(f'hqm/word_of_{rank}').decode()}", str(number))
        if time.monotonic() > deadline:
            raise JoinError(
                f"Processes {', '.join(map(str, sorted(missing)))} did not come within {store.timeout}. Were all "
                "machines started, with the same NNODES, MASTER_ADDR and PORT, and can they reach each other?"
            )
        time.sleep(0.02)
