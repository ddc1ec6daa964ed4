"""Reading, computing and drawing at the same time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
_END = object()


def one_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same items in the same order; while one is used, a thread of its own gets the next.

    Args:
        items (Iterator): an error that it raises is raised here, after the items before it.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="one_ahead") as pool:
        following = pool.submit(next, items, _END)
        try:
            while (item := following.result()) is not _END:
                following = pool.submit(next, items, _END)
                yield item
        finally:
            following.cancel()  # what has begun is waited for when the pool is left
