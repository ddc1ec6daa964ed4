"""A toy HOICLIP names combinations that it never saw."""

import numpy as np
import pytest

from hqm_mmdet.structures import HOIClasses

HOIS = HOIClasses(("hold", "kick", "ride"), ("person", "ball", "horse"), (0, 1, 0, 2), (1, 1, 2, 2))
SUBJECT, OBJECT = (0.0, 0.0, 10.0, 10.0), (20.0, 20.0, 40.0, 40.0)


def truth(verb, label):
    return dict(boxes=np.array([SUBJECT, OBJECT]), labels=np.array([0, label]), hois=np.array([(0, 1, verb)]))


def predicted(**scores):
    """One far off pair with the best scores of all, then one that fits."""
    scores = {name: np.array([[9.0] * len(row), row]) for name, row in scores.items()}
    return dict(sub_bboxes=np.array([OBJECT, SUBJECT]), obj_bboxes=np.array([SUBJECT, OBJECT]), **scores)


@pytest.mark.parametrize("scores", [dict(hoi_scores=[0.1, 0.3, 0.9, 0.8]), dict(verb_scores=[0.1, 0.3, 0.05])])
def test_verbs_compete_among_the_classes_of_the_object(script, scores):
    tool = script("zero_shot")
    truths = [truth(1, 1), truth(0, 1), truth(2, 2)]  # kick ball, hold ball, ride horse
    found = tool.verbs_of(truths, [predicted(**scores)] * 3, frozenset({0, 1}), HOIS)
    assert (found.right, found.chance, found.pairs, found.localised) == (0.5, 0.5, 2, 1.0)


def test_a_pair_without_a_fitting_prediction_is_not_counted(script):
    tool = script("zero_shot")
    off = dict(sub_bboxes=np.array([OBJECT]), obj_bboxes=np.array([SUBJECT]), verb_scores=np.ones((1, 3)))
    found = tool.verbs_of([truth(1, 1), truth(1, 1)], [off, predicted(verb_scores=[0, 1, 0])], frozenset({1}), HOIS)
    assert (found.right, found.pairs, found.localised) == (1.0, 2, 0.5)


@pytest.mark.slow
def test_new_combinations_are_named_by_hoiclip_and_less_by_qpic(script, tmp_path):
    """Twenty minutes: the command as in the docs, in another folder."""
    tool = script("zero_shot")
    results = tool.main(tool.parse_args(["--work-dir", str(tmp_path), "--page", str(tmp_path / "page.md")]))
    hoiclip, qpic = (results[name].verbs["unseen"] for name in ("HOICLIP", "QPIC"))
    assert hoiclip.right > 2.5 * hoiclip.chance and hoiclip.right > qpic.right + 0.15
    assert results["HOICLIP"].mean_ap["unseen"] > 0.03 and "HOICLIP" in (tmp_path / "page.md").read_text()
