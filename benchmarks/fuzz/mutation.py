"""Hostile versions of sound values, texts and bytes."""

import copy
import json
from random import Random

NUMBERS = (0, -1, 1, 2, 0.5, -0.0, 1e-320, 1e30, -1e300, 10**18, 10**30, -(10**400), float("nan"), float("inf"), 2**63)
OTHERS = (None, True, False, "", "x", "1", "NaN", "\ud800", "a\0b", "../../etc/passwd", "/etc/hostname", "9" * 5000)
EMPTY = ([], {}, [[]], [None], {"": 0}, [True, 1, "2", None])


def hostile_value(rng: Random):
    """A value where another one is expected."""
    return copy.deepcopy(rng.choice((*NUMBERS, *OTHERS, *EMPTY)))


def places(value, path=()) -> list[tuple]:
    """Paths of all parts of nested dicts and lists, the whole aside."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, item in items for place in ((*path, key), *places(item, (*path, key)))]


def mutate_value(rng: Random, value, changes: int = 1):
    """A copy with parts replaced, removed, repeated, renamed, wrapped or swapped."""
    value = copy.deepcopy(value)
    for _ in range(changes):
        found = places(value)
        if not found:
            return hostile_value(rng)
        *above, key = rng.choice(found)
        parent = value
        for step in above:
            parent = parent[step]
        _change(rng, parent, key)
    return value


def _change(rng: Random, parent, key) -> None:
    kind = rng.choice(("replace", "replace", "replace", "scale", "remove", "repeat", "wrap", "swap", "rename"))
    if kind == "remove":
        del parent[key]
    elif kind == "repeat" and isinstance(parent, list):
        parent.insert(rng.randrange(len(parent) + 1), copy.deepcopy(parent[key]))
    elif kind == "wrap":
        parent[key] = [parent[key]]
    elif kind == "swap":
        other = rng.choice(list(parent) if isinstance(parent, dict) else range(len(parent)))
        parent[key], parent[other] = parent[other], parent[key]
    elif kind == "rename" and isinstance(parent, dict):
        name = misspelt(rng, str(key)) if isinstance(key, str) else rng.choice((7, None, "x"))
        parent[name] = parent.pop(key)
    elif kind == "scale" and isinstance(parent[key], int | float) and not isinstance(parent[key], bool):
        parent[key] = parent[key] * rng.choice((-1, 1e3, 1e-3, 10**20))
    else:
        parent[key] = hostile_value(rng)


def misspelt(rng: Random, text: str) -> str:
    """A text with a letter lost, doubled, exchanged or in the other case."""
    if not text:
        return "x"
    i = rng.randrange(len(text))
    return rng.choice(
        (text[:i] + text[i + 1 :], text[:i] + text[i] + text[i:], text[:i] + "x" + text[i + 1 :], text.swapcase())
    )


def mutate_bytes(rng: Random, data: bytes) -> bytes:
    """Bytes cut, flipped, filled, exchanged or repeated."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        if not data:
            return bytes(rng.randrange(256) for _ in range(rng.randrange(40)))
        start = rng.randrange(len(data))
        end = min(len(data), start + rng.choice((1, 4, 64, len(data))))
        kind = rng.choice(("flip", "flip", "cut", "drop", "fill", "noise", "repeat"))
        if kind == "flip":
            data[start] ^= 1 << rng.randrange(8)
        elif kind == "cut":
            del data[start:]
        elif kind == "drop":
            del data[start : min(end, start + 64)]
        elif kind == "fill":
            data[start:end] = bytes([rng.choice((0, 255, 32))]) * (end - start)
        elif kind == "noise":
            data[start : min(end, start + 64)] = rng.randbytes(min(end, start + 64) - start)
        else:
            data[start:start] = data[start : min(end, start + 64)]
    return bytes(data)


def json_bytes(rng: Random, value) -> bytes:
    """A JSON file of a value; now and then damaged, compressed text, another encoding, or nested without end."""
    data = json.dumps(value).encode()
    kind = rng.random()
    if kind < 0.12:
        return mutate_bytes(rng, data)
    if kind < 0.14:
        return rng.choice((b"[" * 100_000, b'[{"a":' * 40_000, b"", b"null", b"3", b"{}", b"[]", b"[[]]", b'"text"'))
    if kind < 0.16:
        return json.dumps(value).encode(rng.choice(("utf-16", "utf-8-sig", "utf-32")))
    return data
