"""A JSON list, one entry at a time."""

import json
import re
from collections.abc import Iterator

_SEPARATOR = re.compile(r"[ \t\r\n]*")


def iterate_json_list(text: str, start: int = 0, alone: bool = True) -> Iterator:
    """Entries of a JSON list, decoded when they are asked for.

    A list with 100 x 117 scores per image takes several times its size as Python objects; one entry does not.

    Args:
        text (str): holds the whole list.
        start (int): where it begins. Default: 0.
        alone (bool): whether nothing may follow it. Default: True.

    Yields:
        The entries.

    Raises:
        json.JSONDecodeError: no list, damaged, or something follows that may not.

    >>> list(iterate_json_list('[1, {"a": [2]}]'))
    [1, {'a': [2]}]
    """
    decoder = json.JSONDecoder()
    position = _skip(text, start, "[")
    more = text[position : position + 1] != "]"
    while more:
        # raw_decode takes no white space in front of an entry.
        try:
            entry, position = decoder.raw_decode(text, position)
        except RecursionError:
            raise json.JSONDecodeError("lists and dicts are nested too deeply", text, position) from None
        except ValueError as error:
            if isinstance(error, json.JSONDecodeError):
                raise
            raise json.JSONDecodeError(str(error), text, position) from None  # an integer of thousands of digits
        yield entry
        position = _SEPARATOR.match(text, position).end()
        more = text[position : position + 1] != "]"
        position = _skip(text, position, ",") if more else position
    if (position := _skip(text, position, "]")) < len(text) and alone:
        raise json.JSONDecodeError("more behind the end of the list", text, position)


def _skip(text: str, position: int, expected: str) -> int:
    """Behind white space, the expected character, and more white space."""
    position = _SEPARATOR.match(text, position).end()
    if text[position : position + 1] != expected:
        raise json.JSONDecodeError(f"expected '{expected}' of a list", text, position)
    return _SEPARATOR.match(text, position + 1).end()
