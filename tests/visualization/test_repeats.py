"""Repeated pairs become one, with all their verbs."""

import torch

from hqm_mmdet.structures import new_pairs
from hqm_mmdet.visualization import merge_repeats

PERSON = torch.tensor([10.0, 10, 50, 90])
CUP = torch.tensor([40.0, 40, 60, 60])


def pairs(*rows):
    """Rows of subject box, object box, label, verb scores."""
    sub, obj, labels, scores = zip(*rows, strict=True)
    return new_pairs(
        torch.stack(sub),
        torch.stack(obj),
        torch.tensor(labels),
        verb_scores=torch.tensor(scores),
        queries=torch.arange(len(rows)),
    )


def test_best_boxes_and_best_score_of_each_verb_stay():
    merged = merge_repeats(pairs((PERSON + 1, CUP, 3, [0.2, 0.6]), (PERSON, CUP + 1, 3, [0.8, 0.1])), 0.7, 9)
    assert merged.queries.tolist() == [1]
    torch.testing.assert_close(merged.verb_scores, torch.tensor([[0.8, 0.6]]))
    torch.testing.assert_close(merged.sub_bboxes[0], PERSON)


def test_other_class_and_other_object_stay_apart():
    rows = [(PERSON, CUP, 3, [0.5]), (PERSON, CUP, 4, [0.6]), (PERSON, CUP + 30, 3, [0.7])]
    assert merge_repeats(pairs(*rows), 0.7, 9).queries.tolist() == [2, 1, 0]


def test_absent_objects_are_compared_by_subject():
    rows = [(PERSON, CUP, 9, [0.5]), (PERSON, CUP + 30, 9, [0.6]), (PERSON + 60, CUP, 9, [0.4])]
    assert merge_repeats(pairs(*rows), 0.7, 9).queries.tolist() == [1, 2]


def test_no_pair_and_one_pair():
    one = pairs((PERSON, CUP, 3, [0.5]))
    assert len(merge_repeats(one[:0], 0.7, 9)) == 0
    assert len(merge_repeats(one, 0.7, 9)) == 1


def test_merging_again_changes_nothing_and_order_of_queries_does_not_matter():
    generator = torch.Generator().manual_seed(0)
    rows = [
        (PERSON + 8 * torch.rand(4, generator=generator), CUP, 1, torch.rand(3, generator=generator).tolist())
        for _ in range(12)
    ]
    merged = merge_repeats(pairs(*rows), 0.8, 9)
    assert 1 < len(merged) < 12
    torch.testing.assert_close(merge_repeats(merged, 0.8, 9).verb_scores, merged.verb_scores)
    torch.testing.assert_close(merge_repeats(pairs(*rows[::-1]), 0.8, 9).verb_scores, merged.verb_scores)
