"""The vocabulary of ToyHOI and its long tail."""

import numpy as np
import pytest

from hqm_mmdet.datasets.toy import TOY_CLASSES, TOY_VALID, TOY_VERBS, ToySettings
from hqm_mmdet.datasets.toy.interactions import ARM_RULES, LEG_RULES
from hqm_mmdet.datasets.toy.vocabulary import TOY_IMPLIED, TOY_TRIPLETS, triplet_probabilities


def test_enough_classes_and_verbs():
    assert TOY_CLASSES[0] == "person"
    assert len(set(TOY_CLASSES)) == len(TOY_CLASSES) >= 7
    assert len(set(TOY_VERBS)) == len(TOY_VERBS) >= 9


def test_objects_do_not_give_the_verb_away():
    verbs_per_object = TOY_VALID[:, 1:].sum(0)
    assert (verbs_per_object >= 3).all()
    objects_per_verb = dict(zip(TOY_VERBS, TOY_VALID.sum(1).tolist(), strict=True))
    assert [verb for verb, number in objects_per_verb.items() if number < 2] == [
        "drink_from",
        "wave",
    ]


def test_every_verb_has_a_rule():
    assert {verb for verb, _ in TOY_TRIPLETS} == {*LEG_RULES, *ARM_RULES, "wave"} == set(TOY_VERBS)


def test_valid_table_agrees_with_triplets():
    for verb, name in TOY_TRIPLETS:
        if name is None:
            assert not TOY_VALID[TOY_VERBS.index(verb)].any()
            continue
        label = TOY_CLASSES.index(name)
        assert TOY_VALID[TOY_VERBS.index(verb), label]
        assert TOY_VALID[TOY_VERBS.index(TOY_IMPLIED.get(verb, verb)), label]
    assert len(set(TOY_TRIPLETS)) == len(TOY_TRIPLETS)


def test_valid_table_is_read_only():
    with pytest.raises(ValueError, match="read-only"):
        TOY_VALID[0, 0] = True


@pytest.mark.parametrize("tail", [0.0, 1.0, 4.5])
def test_probabilities_fall_with_the_rank(tail):
    probabilities = triplet_probabilities(tail)
    assert probabilities.sum() == pytest.approx(1)
    assert (np.diff(probabilities) <= 0).all()
    assert probabilities[0] / probabilities[-1] == pytest.approx(np.exp(tail))


@pytest.mark.parametrize(
    "wrong",
    [
        dict(num_train=-1),
        dict(seed=-1),
        dict(tail_exponent=-0.1),
        dict(min_size=64),
        dict(min_size=200, max_size=160),
    ],
)
def test_settings_out_of_range(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ToySettings(**wrong)
