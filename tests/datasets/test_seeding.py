"""Random streams."""

import copy
import random

import numpy as np
import torch
import torch.multiprocessing

from hqm_mmdet.datasets.seeding import SharedInteger, start_streams, streams_put_back


def draw():
    return random.random(), np.random.rand(), torch.rand(1).item()


def test_streams_are_a_function_of_the_key():
    draws = []
    for key in [(1, 2, 3), (1, 2, 4), (1, 3, 3), (2, 2, 3), (1, 2, 3)]:
        start_streams(*key)
        draws.append(draw())
    assert draws[0] == draws[-1]
    for stream in zip(*draws[:-1], strict=True):  # each of the three generators differs between keys
        assert len(set(stream)) == 4


def test_outer_streams_go_on_untouched():
    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    expected = [draw(), draw()]
    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    found = [draw()]
    try:
        with streams_put_back():
            start_streams(5)
            draw()
            raise KeyError
    except KeyError:
        found.append(draw())
    assert found == expected


def _wait_for_change(number, before, after, answers):
    answers.put(number.get())
    before.set()
    after.wait(30)
    answers.put(number.get())


def test_shared_integer_reaches_running_processes():
    context = torch.multiprocessing.get_context("fork")
    number = copy.deepcopy(SharedInteger(4))  # a copied data set (get_subset) must still share
    before, after, answers = context.Event(), context.Event(), context.SimpleQueue()
    process = context.Process(target=_wait_for_change, args=(number, before, after, answers))
    process.start()
    assert before.wait(30)
    number.set(9)
    after.set()
    process.join(30)
    assert [answers.get(), answers.get()] == [4, 9]


def test_copies_are_independent():
    number = SharedInteger(4)
    other = copy.deepcopy(number)
    other.set(5)
    assert (number.get(), other.get()) == (4, 5)
