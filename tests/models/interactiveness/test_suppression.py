import json

import numpy as np
import pytest
import torch

from hqm_mmdet.models.interactiveness import (
    SuppressionThresholds,
    ThresholdError,
    ThresholdSearch,
    best_objects,
    low_grade_suppression,
    multiply,
    suppress,
)
from tests.models.reference import load_json

LIS = dict(hico=(6, 10, 1.4, 0), vcoco=(6, 6, 7, 0))


@pytest.mark.parity
@pytest.mark.parametrize("name", ["hico_det", "v_coco", "paper_constants_as_reused_by_others"])
def test_low_grade_suppression(reference_dir, name):
    given = load_json(reference_dir, "tin", "lis.json")[name]
    scores = low_grade_suppression(torch.tensor(given["x"], dtype=torch.float64), *(given[k] for k in "abcd"))
    torch.testing.assert_close(scores, torch.tensor(given["y"], dtype=torch.float64), rtol=1e-9, atol=0)


def official_thresholds(reference_dir, default=None):
    """HICO-DET's, with 0-based labels."""
    given = load_json(reference_dir, "tin", "nis_thresholds.json")["hico_det"]
    default = default or given["default"]
    per_class = {
        int(label) - 1: (pair["non_interactive_above"], pair["interactive_below"])
        for label, pair in given["per_object_class_1based"].items()
    }
    return SuppressionThresholds(*default.values(), per_class), given["no_interaction_hoi_ids_1based"]


@pytest.mark.parity
def test_suppression_on_hico_det(reference_dir):
    given = load_json(reference_dir, "tin", "nis_hico.json")
    passed = given["thresholds_passed"]
    thresholds, no_interaction = official_thresholds(
        reference_dir, dict(above=passed["non_interactive"], below=passed["interactive"])
    )
    pairs = given["pairs"]
    scores = torch.tensor([[p["interactive"], p["non_interactive"]] for p in pairs], dtype=torch.float64)
    labels = torch.tensor([p["object_class_1based"] - 1 for p in pairs])
    suppressed = thresholds.suppressed(scores, labels)
    suppressed[[p["pair_id"] is None for p in pairs].index(True)] = False  # the official list of exempt images
    ours = set()
    for pair, dropped in zip(pairs, suppressed, strict=True):
        hois = {int(hoi): score for hoi, score in pair["hoi_scores"].items()}
        kept = tuple(i for i, hoi in enumerate(hois) if hoi in no_interaction)
        row = suppress(torch.tensor([list(hois.values())], dtype=torch.float64), dropped[None], kept)[0]
        detection = torch.tensor([pair["human_det_score"], pair["object_det_score"]], dtype=torch.float64)
        row = row * low_grade_suppression(detection, *LIS["hico"]).prod()
        ours |= {
            (pair["image_id"], hoi, f"{score:.9e}") for hoi, score in zip(hois, row.tolist(), strict=True) if score > 0
        }
    theirs = {
        (row["image_id"], row["hoi_id_1based"], f"{row['score']:.9e}")
        for rows in given["output"].values()
        for row in rows
        if row["score"] > 0
    }
    assert ours == theirs and suppressed.any() and not suppressed.all()


@pytest.mark.parity
def test_suppression_on_v_coco(reference_dir):
    given = load_json(reference_dir, "tin", "nis_vcoco.json")
    prior = load_json(reference_dir, "tin", "vcoco_action_prior.json")
    rows = load_json(reference_dir, "tin", "nis_thresholds.json")["v_coco"]["per_object_class_1based"]
    per_class = {i: (row["non_interactive_above"], row["interactive_below"]) for i, row in enumerate(rows)}
    thresholds = SuppressionThresholds(per_class={**per_class, 0: (0.0, 1.0)})  # a person is always suppressed
    actions = prior["action_order"]
    alone = ("walk", "smile", "run", "stand")
    for person, expected in zip(given["input"], given["output"], strict=True):
        labels = torch.tensor(person["object_class"]) - 1
        allowed = torch.tensor(
            [
                [c in prior["allowed_object_classes_1based"][action] for action in actions]
                for c in person["object_class"]
            ]
        )
        objects = low_grade_suppression(torch.tensor(person["O_det"], dtype=torch.float64), *LIS["vcoco"])
        scores = torch.tensor(person["HO_Score"], dtype=torch.float64).view(-1, 29) * objects[:, None] * allowed
        scores = scores * low_grade_suppression(torch.tensor(person["H_det"], dtype=torch.float64), *LIS["vcoco"])
        chosen = scores * best_objects(scores, torch.zeros(len(labels)))
        dropped = thresholds.suppressed(torch.tensor(person["binary_score"], dtype=torch.float64), labels)
        roles = suppress(chosen, dropped)
        for column, action in enumerate(actions):
            if action in alone:
                continue
            *box, score = expected[action]
            assert roles[:, column].max().item() == pytest.approx(score, rel=1e-6), action  # stored from float32
            if score > 0:
                assert person["object_box"][int(roles[:, column].argmax())] == box, action


def test_thresholds_of_one_change_nothing():
    torch.manual_seed(0)
    scores, labels = torch.rand(50, 2), torch.randint(0, 5, (50,))
    verbs = torch.rand(50, 7)
    dropped = SuppressionThresholds(above=1.0, below=1.0).suppressed(scores, labels)
    assert not dropped.any() and torch.equal(suppress(verbs, dropped), verbs)


def test_decisions_are_strict_and_by_class():
    scores = torch.tensor([[0.1, 0.95], [0.05, 0.9], [0.05, 0.95], [0.15, 0.88]], dtype=torch.float64)
    thresholds = SuppressionThresholds(per_class={3: (0.85, 0.2)})
    assert thresholds.suppressed(scores, torch.tensor([0, 0, 0, 3])).tolist() == [False, False, True, True]


def test_the_verb_that_says_nothing_happens_stays():
    verbs = torch.tensor([[0.5, 0.25], [0.5, 0.25]])
    assert suppress(verbs, torch.tensor([True, False]), (1,)).tolist() == [[0, 0.25], [0.5, 0.25]]
    assert multiply(verbs, torch.tensor([[0.5, 0.1], [1, 0]]), (1,)).tolist() == [[0.25, 0.25], [0.5, 0.25]]


def test_without_pairs():
    empty = torch.zeros(0, 2)
    assert SuppressionThresholds().suppressed(empty, torch.zeros(0, dtype=torch.long)).shape == (0,)
    assert best_objects(torch.zeros(0, 3), torch.zeros(0)).shape == (0, 3)


def test_best_objects_takes_the_first_of_equals_for_each_person():
    scores = torch.tensor([[0.5, 0.1], [0.5, 0.2], [0.3, 0.4]])
    assert best_objects(scores, torch.tensor([7, 7, 2])).tolist() == [[True, False], [False, True], [True, True]]


def test_best_objects_of_many_pairs_need_no_table_of_pairs():
    """200 persons: a table of pairs by pairs would take gigabytes."""
    subjects = torch.arange(200).repeat_interleave(199)
    scores = torch.rand(len(subjects), 2, generator=torch.Generator().manual_seed(0))
    best = best_objects(scores, subjects)
    assert torch.equal(best.view(200, 199, 2).sum(1), torch.ones(200, 2).long())
    assert torch.equal(scores[best].sort().values, scores.view(200, 199, 2).amax(1).flatten().sort().values)


@pytest.mark.parametrize(
    "content,message",
    [
        ("{", "Expecting"),
        ('{"below": 0.1}', "above"),
        ('{"above": 0.9, "below": 1.5}', r"numbers in \[0, 1\]"),
        ('{"above": 0.9, "below": 0.1, "per_class": {"unicorn": [0.9, 0.1]}}', "unicorn|not in tuple"),
        ('{"above": NaN, "below": 0.1}', r"numbers in \[0, 1\]"),
    ],
)
def test_bad_threshold_files(tmp_path, content, message):
    (tmp_path / "thresholds.json").write_text(content)
    with pytest.raises(ThresholdError, match=message) as error:
        SuppressionThresholds.from_file(tmp_path / "thresholds.json", ("person", "cup"))
    assert "thresholds.json" in str(error.value)


def test_threshold_file_round_trip(tmp_path):
    thresholds = SuppressionThresholds(0.8, 0.2, {1: (0.7, 0.3)})
    (tmp_path / "t.json").write_text(thresholds.as_json(("person", "cup")))
    assert SuppressionThresholds.from_file(tmp_path / "t.json", ("person", "cup")) == thresholds
    assert json.loads(thresholds.as_json(("person", "cup")))["per_class"] == {"cup": [0.7, 0.3]}


def test_search_finds_what_separates_and_leaves_rare_classes():
    rng = np.random.default_rng(0)
    interactive = np.arange(400) % 2 == 0
    labels = np.repeat([0, 1, 2, 2], 100)
    non = np.where(interactive, rng.uniform(0, 0.7, 400), rng.uniform(0.72, 1, 400))
    scores = np.stack([np.where(interactive, 0.4, 0.25), non], 1)
    interactive[labels == 1] = np.arange(100) < 3  # rare
    found = ThresholdSearch(min_pairs=10)(scores, labels, interactive)
    assert set(found.per_class) == {0, 2}
    above, below = found.per_class[0]
    dropped = (scores[:, 1] > above) & (scores[:, 0] < below)
    assert (dropped == ~interactive)[labels == 0].all()


def test_search_suppresses_nothing_that_costs_more_than_it_gains():
    scores = np.full((60, 2), 0.5)
    scores[:, 1], scores[:, 0] = 0.99, 0.001
    interactive = np.arange(60) < 20
    careful = ThresholdSearch(cost=10)(scores, np.zeros(60, int), interactive).per_class[0]
    assert careful[0] == 1.0  # nothing exceeds it
    bold = ThresholdSearch(cost=0.5)(scores, np.zeros(60, int), interactive).per_class[0]
    assert bold[0] < 0.99 and bold[1] > 0.001
