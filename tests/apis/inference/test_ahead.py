"""While one item is used, the next is made."""

import threading

import pytest

from hqm_mmdet.apis.inference.ahead import one_ahead


def test_the_next_item_is_made_while_one_is_used():
    made = [threading.Event() for _ in range(3)]

    def items():
        for i, event in enumerate(made):
            event.set()
            yield i

    stream = one_ahead(items())
    assert not made[0].is_set()  # nothing before it is asked for
    assert next(stream) == 0
    assert made[1].wait(10)
    assert not made[2].is_set()
    assert list(stream) == [1, 2]


def test_an_error_comes_after_the_items_before_it():
    def items():
        yield 1
        yield 2
        raise ValueError("third")

    seen = []
    with pytest.raises(ValueError, match="third"):
        for item in one_ahead(items()):
            seen.append(item)
    assert seen == [1, 2]


def test_who_stops_early_leaves_no_thread():
    stream = one_ahead(one_ahead(iter(range(100))))
    assert next(stream) == 0
    stream.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("one_ahead") and thread.is_alive()]
