"""The HOI vocabulary."""

import numpy as np
import pytest

from hqm_mmdet.structures import HOIVocabulary

COUNTS = np.array([[0, 1, 9], [10, 0, 200]])  # verbs x classes


def test_count_triplets_leaves_out_absent_objects():
    labels, verbs = np.array([2, 2, 0, 3]), np.array([0, 0, 1, 1])
    counts = HOIVocabulary.count_triplets(labels, verbs, num_verbs=2, num_classes=3)
    assert counts.tolist() == [[0, 0, 2], [1, 0, 0]]


def test_count_triplets_of_nothing():
    nothing = np.zeros(0, dtype=np.int64)
    assert HOIVocabulary.count_triplets(nothing, nothing, 2, 3).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_derived_tables_call_fewer_than_ten_rare():
    valid, rare = HOIVocabulary.derive_tables(COUNTS)
    assert (valid == (COUNTS > 0)).all()
    assert rare == {(1, 0), (2, 0)}  # (object label, verb)


def test_given_valid_table_is_kept_and_its_unseen_triplets_are_rare():
    given = np.array([[True, False, True], [True, False, True]])
    valid, rare = HOIVocabulary.derive_tables(COUNTS, given)
    assert valid is given
    assert rare == {(0, 0), (1, 0), (2, 0)}


def test_metainfo_holds_plain_values():
    valid, rare = HOIVocabulary.derive_tables(COUNTS)
    info = HOIVocabulary(("person", "ball", "cup"), ("hold", "kick"), valid, rare).as_metainfo()
    assert info["rare_triplets"] == [(1, 0), (2, 0)]
    assert info["valid_pairs"].dtype == bool and info["valid_pairs"].shape == (2, 3)
    assert info["subject_label"] == 0


def test_transposed_table_is_refused():
    with pytest.raises(ValueError, match=r"verbs x classes = \(2, 3\)"):
        HOIVocabulary(("person", "ball", "cup"), ("hold", "kick"), np.ones((3, 2), dtype=bool))
