import numpy as np
import pytest

from hqm_mmdet.evaluation.functional import interactive_pairs, interactiveness_ap
from tests.models.reference import load_json


@pytest.mark.parity
def test_ap_is_the_official_one(reference_dir):
    given = load_json(reference_dir, "tin", "interactiveness_ap.json")
    scores = np.stack([given["score_interactive"], given["score_non_interactive"]], 1)
    ap = interactiveness_ap(scores, given["interactive_label"])
    assert ap.interactive == pytest.approx(given["ap_interactive"], abs=1e-12)
    assert ap.non_interactive == pytest.approx(given["ap_non_interactive"], abs=1e-12)
    assert ap.mean == pytest.approx(given["binary_mAP"], abs=1e-12)


def test_perfect_scores_have_an_ap_of_one():
    interactive = np.array([True, False, True, False])
    ap = interactiveness_ap(np.stack([interactive, ~interactive], 1).astype(float), interactive)
    assert (ap.interactive, ap.non_interactive, ap.mean) == pytest.approx((1, 1, 1))


def test_a_kind_without_pairs_has_no_ap():
    ap = interactiveness_ap(np.array([[0.5, 0.5]]), [True])
    assert ap.interactive == pytest.approx(1) and np.isnan(ap.non_interactive)
    assert np.isnan(interactiveness_ap(np.zeros((0, 2)), []).interactive)


def test_a_pair_is_interactive_if_both_boxes_match_the_same_pair():
    sub, obj = np.array([[0, 0, 9, 9.0]]), np.array([[20, 0, 29, 9.0]])
    off = obj + [5, 0, 5, 0]
    assert interactive_pairs(sub, obj, sub, obj).tolist() == [True]
    assert interactive_pairs(sub, off, sub, obj).tolist() == [False]
    crossed = interactive_pairs(sub, obj, np.concatenate([sub, off]), np.concatenate([off, obj]))
    assert crossed.tolist() == [False]
    assert interactive_pairs(sub, obj, sub[:0], obj[:0]).tolist() == [False]
    assert interactive_pairs(sub[:0], obj[:0], sub, obj).shape == (0,)
