"""Errors planted into perfect predictions come out again, and mending them restores what they cost."""

import numpy as np
import pytest

from hqm_mmdet.evaluation.functional import KINDS, PROTOCOLS, QPIC, break_down
from hqm_mmdet.evaluation.functional.errors import MISSED
from tests.evaluation.cases import NUM_OBJECTS, NUM_VERBS
from tests.evaluation.judged_cases import RULES, judge_images

SUBJECT, OBJECT = np.array([0, 0, 99, 99]), np.array([200, 0, 299, 99])
BELOW = np.array([0, 400, 0, 400])  # a second pair of each image lies there
RIGHT = (0, 0, 0, 0)
ADDED = {"duplicate": (4, 4, 0, 0), "several": (50, 50, 0, 0), "background": (600, 0, 0, 0)}
REPLACED = {
    "verb": (0, 0, 0, 1),
    "object class": (0, 0, 1, 0),
    "association": None,
    "object box": (0, 60, 0, 0),
    "subject box": (-60, 0, 0, 0),
    MISSED: None,
}


def planted(kinds):
    """One image with two pairs of the same triplet class per kind; a kind tells what happens to the first pair."""
    return [truth(i) for i in range(len(kinds))], [prediction(i, kind, len(kinds)) for i, kind in enumerate(kinds)]


def label_of(i):
    return 1 + i % (NUM_OBJECTS - 1), i // 3 % NUM_VERBS


def truth(i):
    boxes = [SUBJECT, OBJECT, SUBJECT + BELOW, OBJECT + BELOW]
    label, verb = label_of(i)
    return dict(boxes=[b.tolist() for b in boxes], labels=[0, label] * 2, hois=[[0, 1, verb], [2, 3, verb]])


def prediction(i, kind, number):
    """Errors have better scores than what is right, duplicates lower ones."""
    high, low = 0.9 - 0.1 * i / number, 0.6 - 0.1 * i / number
    pairs = [(SUBJECT + BELOW, OBJECT + BELOW, RIGHT, low)]
    if kind in ADDED:
        pairs += [(SUBJECT, OBJECT, RIGHT, high if kind == "duplicate" else low + 1e-3)]
        pairs += [(SUBJECT, OBJECT, ADDED[kind], low + 2e-3 if kind == "duplicate" else high)]
    elif kind == "association":
        pairs += [(SUBJECT, OBJECT + BELOW, RIGHT, high)]
    elif kind != MISSED:
        pairs += [(SUBJECT, OBJECT, REPLACED.get(kind, RIGHT), high)]
    subjects = [(s + np.array([d[0], 0, d[0], 0])).tolist() for s, _, d, _ in pairs]
    objects = [(o + np.array([d[1], 0, d[1], 0])).tolist() for _, o, d, _ in pairs]
    label, verb = label_of(i)
    labels = [1 + (label - 1 + d[2]) % (NUM_OBJECTS - 1) for _, _, d, _ in pairs]
    scores = np.full((len(pairs), NUM_VERBS), np.nan)
    for row, (_, _, d, score) in zip(scores, pairs, strict=True):
        row[(verb + d[3]) % NUM_VERBS] = score
    numbers = range(len(pairs))
    ids = dict(sub_ids=list(numbers), obj_ids=[len(pairs) + p for p in numbers])
    return dict(boxes=subjects + objects, labels=[0] * len(pairs) + labels, verb_scores=scores.tolist(), **ids)


def analyse(kinds, protocol):
    return break_down(judge_images(*planted(kinds), protocol, partial=True))


@pytest.mark.parametrize("kind", [*ADDED, *REPLACED])
@pytest.mark.parametrize("name", RULES)
def test_one_kind(name, kind):
    result = analyse([kind] * 18, RULES[name])
    rows = {row.name: row for row in result.rows}
    assert {n: row.count for n, row in rows.items() if row.count} == {kind: 18}
    assert result.value < 0.99
    assert rows[kind].gain == pytest.approx(1 - result.value, abs=1e-12)
    others = [row.gain for row in result.rows if row.name != kind]
    assert others == pytest.approx([0] * len(others), abs=1e-12)


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_all_kinds_at_once(protocol):
    rng = np.random.default_rng(0)
    kinds = rng.choice([*ADDED, *REPLACED, "right"], 400).tolist()
    result = analyse(kinds, protocol)
    counts = {row.name: row.count for row in result.rows}
    assert counts == {name: kinds.count(name) for name in (*KINDS, MISSED)}
    assert all(row.gain > 0 for row in result.rows)


def test_more_errors_gain_more():
    gains = []
    for share in (2, 5, 9):
        result = analyse((["verb"] * share + ["right"] * (10 - share)) * 9, QPIC)
        gains.append({row.name: row.gain for row in result.rows}["verb"])
    assert 0 < gains[0] < gains[1] < gains[2]
