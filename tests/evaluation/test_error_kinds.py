"""Every kind of error on a case whose kinds, counts and gains are worked out by hand.

Boxes are 100 x 100 pixels; moved by 50 pixels they overlap by 1/3, by 80 pixels by 1/9, by 85 pixels by 15/185 < 0.1.
With 11 recall points, one true positive of two at precision p gives 6/11 p: the recalls 0 to 0.5 are reached.
"""

from fractions import Fraction as F

import numpy as np
import pytest

from hqm_mmdet.evaluation.functional import (
    HOIA,
    KINDS,
    POCKET,
    QPIC,
    AgentTable,
    PersonTable,
    TripletTable,
    break_down,
    judge_roles,
    judge_triplets,
    judge_verbs,
)
from tests.evaluation.cases import CODER
from tests.evaluation.vcoco_cases import ROLES

NONE = CODER.absent_object_label
S, O = (0, 0, 99, 99), (200, 0, 299, 99)  # noqa: E741
S2, O2 = (0, 400, 99, 499), (200, 400, 299, 499)
FAR, NO_BOX = (900, 900, 999, 999), (0, 0, 0, 0)
CUP, DOG = 1, 2
HOLD, PET, RIDE = range(3)


def moved(box, dx):
    return (box[0] + dx, box[1], box[2] + dx, box[3])


def table(rows, scored):
    """[(image, object label, verb, subject box, object box[, score[, subject label]])] -> table."""
    columns = list(zip(*[row[:5] for row in rows], strict=True)) or [[]] * 5
    image, labels, verbs = (np.array(c, dtype=int) for c in columns[:3])
    boxes = (np.array(c, dtype=float).reshape(-1, 4) for c in columns[3:])
    scores = np.array([row[5] for row in rows], np.float32) if scored else None
    sub_labels = np.array([row[6] if len(row) > 6 else 0 for row in rows], dtype=int)
    return TripletTable(image, CODER.encode(sub_labels, labels, verbs), *boxes, scores)


def analyse(gts, preds, protocol=QPIC):
    gts, preds = table(gts, scored=False), table(preds, scored=True)
    if protocol is HOIA:
        return break_down(judge_verbs(preds, gts, CODER))
    num_images = 1 + max(gts.image.max(initial=0), preds.image.max(initial=0))
    return break_down(judge_triplets(preds, gts, np.ones(num_images, int), CODER, protocol))


def check(result, value, kinds, targets, rows, false_positives, false_negatives):
    """``kinds`` per candidate (None = right); ``rows`` = {kind: (count, gain)}, all others are 0."""
    assert [None if k < 0 else KINDS[k] for k in result.kind] == kinds
    assert result.target.tolist() == targets
    assert result.value == pytest.approx(float(value), abs=1e-12)
    ours = {row.name: (row.count, row.gain) for row in result.rows}
    expected = {name: rows.get(name, (0, 0)) for name in ours}
    assert set(rows) <= set(ours)
    assert {n: c for n, (c, _) in ours.items()} == {n: c for n, (c, _) in expected.items()}
    gains = {n: float(g) for n, (_, g) in expected.items()}
    assert {n: g for n, (_, g) in ours.items()} == pytest.approx(gains, abs=1e-12)
    limits = {row.name: (row.count, pytest.approx(row.gain, abs=1e-12)) for row in result.limits}
    wrong, lost = sum(k is not None for k in kinds), false_negatives[0]
    assert limits == {
        "false positives": (wrong, float(false_positives)),
        "false negatives": (lost, float(false_negatives[1])),
    }


# image 0 holds the case, image 1 a candidate that is right
HERE, THERE = (0, CUP, HOLD, S, O), (1, CUP, HOLD, S, O)
RIGHT_THERE = (*THERE, 0.5)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ((0, CUP, HOLD, S, moved(O, 50), 0.9), "object box"),
        ((0, CUP, HOLD, S, moved(O, 80), 0.9), "object box"),
        ((0, CUP, HOLD, moved(S, 50), O, 0.9), "subject box"),
        ((0, CUP, HOLD, moved(S, 80), O, 0.9), "subject box"),
    ],
)
def test_box(error, kind):
    # false, true of two -> true, true of two; without the ground truth: false, true of one
    rows = {kind: (1, 1 - F(3, 11))}
    check(analyse([HERE, THERE], [error, RIGHT_THERE]), F(3, 11), [kind, None], [0, -1], rows, F(3, 11), (1, F(5, 22)))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ((0, CUP, HOLD, moved(S, 50), moved(O, 50), 0.9), "several"),
        ((0, CUP, HOLD, FAR, FAR, 0.9), "background"),
        ((0, CUP, HOLD, S, FAR, 0.9), "background"),
        ((0, CUP, HOLD, S, moved(O, 85), 0.9), "background"),
        ((0, CUP, HOLD, moved(S, 85), O, 0.9), "background"),
        ((2, CUP, HOLD, S, O, 0.9), "background"),
    ],
)
def test_nothing_that_one_step_mends(error, kind):
    rows = {kind: (1, F(3, 11)), "missed": (1, F(5, 22))}
    check(analyse([HERE, THERE], [error, RIGHT_THERE]), F(3, 11), [kind, None], [-1, -1], rows, F(3, 11), (1, F(5, 22)))


@pytest.mark.parametrize(
    "error",
    [
        (0, CUP, PET, moved(S, 50), O, 0.9),
        (0, CUP, PET, S, moved(O, 50), 0.9),
        (0, DOG, HOLD, moved(S, 50), O, 0.9),
        (0, DOG, HOLD, S, moved(O, 50), 0.9),
        (0, DOG, PET, S, O, 0.9),
    ],
)
def test_two_things_wrong_in_a_class_without_ground_truth(error):
    rows = {"several": (1, 0), "missed": (1, F(5, 11))}
    check(analyse([HERE, THERE], [error, RIGHT_THERE]), F(6, 11), ["several", None], [-1, -1], rows, 0, (1, F(5, 11)))


@pytest.mark.parametrize(("obj", "verb", "kind"), [(CUP, PET, "verb"), (DOG, HOLD, "object class")])
def test_verb_and_object_class_move_to_another_class(obj, verb, kind):
    error, other = (0, obj, verb, S, O, 0.9), (2, obj, verb, S, O)
    # without ground truth of its own class the error costs only where it belongs
    result = analyse([HERE, THERE], [error, RIGHT_THERE])
    check(result, F(6, 11), [kind, None], [0, -1], {kind: (1, F(5, 11))}, 0, (1, F(5, 11)))
    # with: false, true of one in that class, too
    result = analyse([HERE, THERE, other], [error, RIGHT_THERE, (*other, 0.5)])
    rows = {kind: (1, (F(5, 11) + F(1, 2)) / 2)}
    check(result, (F(6, 11) + F(1, 2)) / 2, [kind, None, None], [0, -1, -1], rows, F(1, 4), (1, F(5, 22)))


def test_verb_of_a_pair_whose_verbs_are_all_found_is_removed():
    other = (2, CUP, PET, S, O)
    preds = [(*HERE, 0.9), (0, CUP, PET, S, O, 0.8), RIGHT_THERE, (*other, 0.5)]
    rows = {"verb": (1, F(1, 4))}
    check(
        analyse([HERE, THERE, other], preds),
        F(3, 4),
        [None, "verb", None, None],
        [-1, 0, -1, -1],
        rows,
        F(1, 4),
        (0, 0),
    )


def test_verb_goes_to_what_was_not_found_before_a_larger_overlap():
    slightly_off = (0, CUP, RIDE, moved(S, 10), O)
    preds = [(*HERE, 0.9), (0, CUP, PET, S, O, 0.8)]
    # hold: right; ride: not found, mended by the wrong verb
    check(
        analyse([HERE, slightly_off], preds),
        F(1, 2),
        [None, "verb"],
        [-1, 1],
        {"verb": (1, F(1, 2))},
        0,
        (1, F(1, 2)),
    )


def test_only_the_best_is_mended():
    # hold: false .85, true .5 of two; mended: true .9, false .85, true .5 (the second one is removed)
    preds = [(0, CUP, PET, S, O, 0.9), (0, CUP, RIDE, S, O, 0.8), (1, CUP, HOLD, FAR, FAR, 0.85), RIGHT_THERE]
    kinds = ["verb", "verb", "background", None]
    rows = {"verb": (2, F(28, 33) - F(3, 11)), "background": (1, F(3, 11))}
    check(analyse([HERE, THERE], preds), F(3, 11), kinds, [0, 0, -1, -1], rows, F(3, 11), (1, F(1, 2) - F(3, 11)))


def test_duplicate():
    preds = [(*HERE, 0.9), (0, CUP, HOLD, moved(S, 2), O, 0.8), RIGHT_THERE]
    rows = {"duplicate": (1, F(5, 33))}  # true, false, true of two: (6 + 5 * 2/3) / 11
    check(analyse([HERE, THERE], preds), F(28, 33), [None, "duplicate", None], [-1, -1, -1], rows, F(5, 33), (0, 0))


def test_duplicate_by_the_rule_of_no_second_choice():
    """The second candidate overlaps the free ground truth enough, but the taken one more."""
    gts = [HERE, (0, CUP, HOLD, moved(S, 20), O)]
    preds = [(*HERE, 0.9), (0, CUP, HOLD, moved(S, 5), O, 0.8)]
    rows = {"duplicate": (1, 0), "missed": (1, F(5, 11))}
    check(analyse(gts, preds), F(6, 11), [None, "duplicate"], [-1, -1], rows, 0, (1, F(5, 11)))


def test_association_of_two_annotated_pairs():
    gts = [HERE, (0, CUP, HOLD, S2, O2)]
    rows = {"association": (1, F(6, 11)), "missed": (1, 0)}
    check(analyse(gts, [(0, CUP, HOLD, S, O2, 0.9)]), 0, ["association"], [0], rows, 0, (2, 1))


@pytest.mark.parametrize(
    ("pair", "kind", "target"),
    [
        ((CUP, HOLD, S, O2), "association", 0),  # the subject holds, though another cup
        ((CUP, RIDE, S, O2), "association", 1),  # the cup is ridden, though by another subject
        ((CUP, PET, S, O2), "background", -1),
        ((DOG, HOLD, S, O2), "background", -1),  # there is no such dog
        ((NONE, HOLD, S, NO_BOX), "object box", 0),
    ],
)
def test_association_needs_the_verb_of_either_and_both_boxes(pair, kind, target):
    gts = [HERE, (0, CUP, RIDE, S2, O2)]
    result = analyse(gts, [(0, *pair, 0.9)])
    assert [KINDS[k] for k in result.kind] == [kind] and result.target.tolist() == [target]
    gain = {row.name: row.gain for row in result.rows}[kind]
    assert gain == pytest.approx(0.5 if target >= 0 else 0)
    assert result.missed.tolist() == [target != 0, target != 1]


def test_object_of_another_pair_where_none_is_labelled():
    """Who rides nothing has no other partner: the box is too much."""
    gts = [(0, NONE, RIDE, S, NO_BOX), (0, CUP, HOLD, S2, O2)]
    result = analyse(gts, [(0, CUP, RIDE, S, O2, 0.9)])
    assert [KINDS[k] for k in result.kind] == ["object box"] and result.target.tolist() == [0]
    assert result.missed.tolist() == [False, True]


def test_too_many_or_too_few_objects_count_as_just_near_at_any_bound():
    """In V-COCO, too, whose overlaps are float32: there 0.35 is smaller than 0.35."""
    persons = PersonTable(
        np.zeros(1, int),
        np.array([S], np.float32),
        np.ones(1, bool),
        np.zeros((1, 26), bool),
        np.full((1, 25, 4), np.nan),
    )
    role = ROLES.roles.index("sit_instr")
    persons.actions[0, ROLES.role_actions[role]] = True
    scores = np.full((1, 25), np.nan, np.float32)
    scores[0, role] = 0.9
    boxes = np.array([S], np.float32), np.zeros((1, 26), np.float32), np.array([[O]], np.float32)
    judged = judge_roles(AgentTable(np.zeros(1, int), *boxes, scores), persons, ROLES)
    for near in (0.1, 0.35):
        assert [KINDS[k] for k in break_down(judged, near).kind] == ["object box"]


def test_closest_kind_wins():
    """The pair is annotated with another verb, though the subject holds something else: the verb is wrong."""
    gts = [(0, CUP, RIDE, S, O), (0, CUP, HOLD, S, O2)]
    result = analyse(gts, [(0, CUP, HOLD, S, O, 0.9)])
    assert [KINDS[k] for k in result.kind] == ["verb"] and result.target.tolist() == [0]
    assert result.missed.tolist() == [False, True]


def test_wrong_class_is_closer_than_wrong_association():
    """What the subject holds is a cup; the dog there is held by another one."""
    gts = [HERE, (0, DOG, HOLD, S2, moved(O, 20))]
    result = analyse(gts, [(0, DOG, HOLD, S, O, 0.9)])
    assert [KINDS[k] for k in result.kind] == ["object class"] and result.target.tolist() == [0]


def test_box_goes_to_the_larger_overlap_though_it_was_found():
    gts = [HERE, (0, CUP, HOLD, S, moved(O, 130))]
    preds = [(*HERE, 0.9), (0, CUP, HOLD, S, moved(O, 50), 0.8)]  # 1/3 and 1/9
    result = analyse(gts, preds)
    assert [KINDS[k] for k in result.kind[1:]] == ["object box"] and result.target.tolist() == [-1, 0]
    assert result.missed.tolist() == [False, True]


ALONE = (0, NONE, RIDE, S, NO_BOX)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ((0, NONE, RIDE, moved(S, 50), NO_BOX, 0.9), "subject box"),
        ((0, CUP, RIDE, S, O, 0.9), "object box"),  # an object where none is annotated
        ((0, NONE, PET, S, NO_BOX, 0.9), "verb"),
        ((0, CUP, PET, S, O, 0.9), "several"),
        ((0, CUP, RIDE, moved(S, 50), O, 0.9), "several"),
        ((0, NONE, RIDE, FAR, NO_BOX, 0.9), "background"),
    ],
)
def test_without_object(error, kind):
    result = analyse([ALONE], [error])
    assert [KINDS[k] for k in result.kind] == [kind]
    one_step = kind in ("subject box", "object box", "verb")
    gains = {row.name: row.gain for row in result.rows}
    assert gains == pytest.approx({name: float(name == (kind if one_step else "missed")) for name in gains})


def test_missed_counts_one_where_nothing_else_is_left():
    rows = {"missed": (1, F(1, 2))}
    other = (1, DOG, PET, S, O)
    check(analyse([HERE, other], [(*other, 0.5)]), F(1, 2), [None], [-1], rows, 0, (1, F(1, 2)))


def test_missed_is_found_with_the_same_precision():
    # true, false, true of three: recalls 1/3 and 2/3 -> of two
    gts = [THERE, (2, CUP, HOLD, S, O), HERE]
    preds = [(*THERE, 0.9), (3, CUP, HOLD, S, O, 0.8), (2, CUP, HOLD, S, O, 0.7)]
    value = (4 + F(2, 3) * 3) / 11  # recall points 0 to 0.3, then 0.4 to 0.6
    rows = {"background": (1, F(7, 11) - value), "missed": (1, F(28, 33) - value)}
    kinds, targets = [None, "background", None], [-1, -1, -1]
    order = [0, 2, 1]  # candidates in the order of their images
    check(
        analyse(gts, [preds[i] for i in order]),
        value,
        [kinds[i] for i in order],
        targets,
        rows,
        F(7, 11) - value,
        (1, F(28, 33) - value),
    )


def test_threshold_of_the_protocol():
    """IoU 0.5 exactly: right in QPIC's protocol, not in pocket's (ground truth from 1, boxes without extra pixel)."""
    half = (0, CUP, HOLD, (0, 0, 99, 49), O, 0.9)
    assert analyse([HERE], [half]).kind.tolist() == [-1]
    gt, half = (0, CUP, HOLD, (1, 1, 100, 100), O), (0, CUP, HOLD, (0, 0, 100, 50), O, 0.9)
    result = analyse([gt], [half], POCKET)
    assert [KINDS[k] for k in result.kind] == ["subject box"] and result.target.tolist() == [0]


# ---- HOI-A: a class is a verb, of three; area under the curve


def test_hoia_object_class_stays_in_its_verb():
    # hold: false, true of two: area 1/2 * 1/2 -> 1
    preds = [(0, DOG, HOLD, S, O, 0.9), RIGHT_THERE]
    rows = {"object class": (1, F(3, 4) / 3)}
    result = analyse([HERE, THERE], preds, HOIA)
    check(result, F(1, 4) / 3, ["object class", None], [0, -1], rows, F(1, 4) / 3, (1, F(1, 4) / 3))


def test_hoia_candidate_that_takes_two_leaves_nothing_to_mend():
    result = analyse([HERE, (0, CUP, HOLD, moved(S, 5), O)], [(*HERE, 0.9)], HOIA)
    check(result, F(1, 2) / 3, [None], [-1], {}, 0, (0, 0))


def test_subject_of_another_class_is_background():
    result = analyse([HERE], [(*HERE, 0.9, DOG)], HOIA)
    rows = {"background": (1, 0), "missed": (1, F(1, 3))}
    check(result, 0, ["background"], [-1], rows, 0, (1, F(1, 3)))


# ---- V-COCO: a class is a role, scenario 1; area under the curve


def vcoco(persons, detections):
    """[(box, {action: {role: box}}, labelled)], [(box, object box or None, {role: score})], all in one image."""
    nan = [float("nan")] * 4
    role_boxes = [[nan] * len(ROLES.roles) for _ in persons]
    for row, (_, actions, _) in zip(role_boxes, persons, strict=True):
        for role, box in [item for roles in actions.values() for item in roles.items()]:
            row[ROLES.roles.index(role)] = box
    does = [[a in actions for a in ROLES.actions] for _, actions, _ in persons]
    labelled = np.array([known for _, _, known in persons])
    people = PersonTable(
        np.zeros(len(persons), int), f32([p[0] for p in persons]), labelled, np.array(does), f32(role_boxes)
    )
    scores = [[roles.get(r, np.nan) for r in ROLES.roles] for _, _, roles in detections]
    boxes = [[nan if d[1] is None else d[1]] for d in detections]
    agent = np.full((len(detections), len(ROLES.actions)), np.nan, np.float32)
    columns = f32([d[0] for d in detections]), agent, f32(boxes), f32(scores)
    return break_down(judge_roles(AgentTable(np.zeros(len(detections), int), *columns), people, ROLES))


def f32(values):
    return np.array(values, np.float32)


BATTER = (S, {"hit": {"hit_instr": O}}, True)  # what is hit is not annotated


def test_vcoco_role():
    # hit_instr is right; hit_obj: false .8, true .7 of one (no box where none is annotated)
    result = vcoco([BATTER], [(S, O, {"hit_instr": 0.9, "hit_obj": 0.8}), (S, None, {"hit_obj": 0.7})])
    rows = {"verb": (1, F(1, 4))}
    check(result, F(3, 4), [None, "verb", None], [-1, 0, -1], rows, F(1, 4), (0, 0))
    assert "object class" not in {row.name for row in result.rows}


def test_vcoco_box_where_none_is_annotated():
    # hit_obj: false .8; the wrong box .7 becomes right, behind it
    result = vcoco([BATTER], [(S, O, {"hit_instr": 0.9, "hit_obj": 0.8}), (S, FAR, {"hit_obj": 0.7})])
    rows = {"verb": (1, 0), "object box": (1, F(1, 4))}
    check(result, F(1, 2), [None, "verb", "object box"], [-1, 0, 1], rows, 0, (1, F(1, 2)))


def test_vcoco_association_and_subject_box():
    other = (S2, {"hit": {"hit_instr": O2, "hit_obj": O}}, True)
    # the other one's bat; then a person in the wrong place
    result = vcoco([BATTER, other], [(S, O2, {"hit_instr": 0.9}), (moved(S, 60), O, {"hit_instr": 0.8})])
    names = [KINDS[k] for k in result.kind]
    assert names == ["association", "subject box"] and result.target.tolist() == [0, 0]
    gains = {row.name: row.gain for row in result.rows}
    # hit_instr: one of two, alone or behind the first; hit_obj: none of two
    assert gains["association"] == pytest.approx(0.25) and gains["subject box"] == pytest.approx(0.125)
    assert result.missed.tolist() == [False, True, True, True]


def test_vcoco_persons_without_label_are_no_error():
    unknown = (S2, {}, False)
    result = vcoco([BATTER, unknown], [(S2, O, {"hit_instr": 0.9}), (S, O, {"hit_instr": 0.8})])
    rows = {"missed": (1, F(1, 2))}
    check(result, F(1, 2), [None], [-1], rows, 0, (1, F(1, 2)))


def test_vcoco_unpublished_role_costs_nothing():
    pointing = (S, {"point": {"point_instr": O}}, True)
    result = vcoco([BATTER, (S2, pointing[1], True)], [(S, O, {"hit_instr": 0.9}), (FAR, FAR, {"point_instr": 0.8})])
    gains = {row.name: row.gain for row in result.rows}
    assert gains == pytest.approx({name: 0.5 * (name == "missed") for name in gains})
    assert {row.name: row.count for row in result.rows}["missed"] == 2
