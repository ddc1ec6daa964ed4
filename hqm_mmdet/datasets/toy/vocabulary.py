"""Classes, verbs and valid triplets of ToyHOI, read from ``metainfo/toy_hoi.json``."""

import numpy as np

from ..class_tables import load_metainfo

_META = load_metainfo("toy_hoi")

TOY_CLASSES: tuple[str, ...] = _META["classes"]
"""Object classes; label 0 is the person."""

TOY_VERBS: tuple[str, ...] = _META["verbs"]
"""Verbs in the order of their 0-based labels."""

TOY_TRIPLETS: tuple[tuple[str, str | None], ...] = tuple((v, o) for v, o in _META["triplets"])
"""All (verb, object class) that occur, the most frequent first; ``None`` is the absent object."""

TOY_IMPLIED: dict[str, str] = _META["implied"]
"""A pair that carries the key also carries the value."""


def _valid_table() -> np.ndarray:
    table = np.zeros((len(TOY_VERBS), len(TOY_CLASSES)), dtype=bool)
    for verb, name in TOY_TRIPLETS:
        if name is not None:
            table[TOY_VERBS.index(verb), TOY_CLASSES.index(name)] = True
    for verb, implied in TOY_IMPLIED.items():
        table[TOY_VERBS.index(implied)] |= table[TOY_VERBS.index(verb)]
    table.setflags(write=False)
    return table


TOY_VALID: np.ndarray = _valid_table()
"""Boolean (verbs, classes). The row of a person-only verb is all False."""


def triplet_probabilities(tail_exponent: float) -> np.ndarray:
    """Long-tailed probability of drawing each entry of ``TOY_TRIPLETS``: exp(-tail * rank^2).

    Args:
        tail_exponent: the last triplet is ``exp(tail_exponent)`` times rarer than the first;
            0 makes all equally likely.

    Returns:
        Float array (triplets,) that sums to one.
    """
    weights = np.exp(-tail_exponent * np.linspace(0, 1, len(TOY_TRIPLETS)) ** 2)
    return weights / weights.sum()
