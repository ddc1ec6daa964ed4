"""Suggestions for misspelt names."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str:
    """`` Did you mean 'x'?``, or nothing if no known name is near."""
    found = get_close_matches(str(name), [str(each) for each in known], n=1, cutoff=0.6)
    return f" Did you mean {found[0]!r}?" if found else ""
