"""Images on which the answer is known."""

import json

import numpy as np
import pytest

from hqm_mmdet.evaluation.analysis import analyse_file, read_run
from hqm_mmdet.evaluation.analysis.image_cases import NUM_PREDICTED, ImageBook
from hqm_mmdet.evaluation.offline import load_evaluation_set
from tests.evaluation.analysis.small_sets import DATASETS, SmallSet

PERSON, CUP = [10.0, 10.0, 60.0, 110.0], [50.0, 40.0, 90.0, 80.0]
SECOND = [200.0, 10.0, 260.0, 110.0]
AWAY = [300.0, 300.0, 340.0, 340.0]
NAMES = dict(classes=["person", "cup"], verbs=["hold", "wave"])


def annotated(name, *hois):
    """Boxes: person, cup, second person. HOIs: (subject, object, verb id)."""
    boxes = [dict(bbox=box, category_id=c) for box, c in ((PERSON, 1), (CUP, 2), (SECOND, 1))]
    rows = [dict(subject_id=s, object_id=o, category_id=v) for s, o, v in hois]
    return dict(file_name=name, annotations=boxes, hoi_annotation=rows)


def predicted(name, *rows):
    """Rows: (subject box, object box or None, verb id, score)."""
    boxes, hois = [], []
    for sub, obj, verb, score in rows:
        boxes.append(dict(bbox=sub, category_id=1))
        hoi = dict(subject_id=len(boxes) - 1, object_id=-1, category_id=verb, score=score)
        if obj is not None:
            hoi["object_id"] = len(boxes)
            boxes.append(dict(bbox=obj, category_id=2))
        hois.append(hoi)
    return dict(file_name=name, predictions=boxes, hoi_prediction=hois)


@pytest.fixture
def load(tmp_path):
    """Function from annotations and predictions to an evaluation set and a file."""

    def files(entries, found):
        for name, content in (("test", entries), ("train", entries), ("found", found), ("names", NAMES)):
            (tmp_path / f"{name}.json").write_text(json.dumps(content))
        options = dict(names_file=str(tmp_path / "names.json"), train_ann_file=str(tmp_path / "train.json"))
        return load_evaluation_set("own", str(tmp_path / "test.json"), **options), tmp_path / "found.json"

    return files


@pytest.fixture
def book(load):
    """Function that gives the images of a run."""

    def make(entries, found):
        images, path = load(entries, found)
        return ImageBook(read_run(path, images))

    return make


HOLD, WAVE = (0, 1, 1), (0, -1, 2)


@pytest.mark.parametrize(
    ("rows", "ap", "found"),
    [
        ([(PERSON, CUP, 1, 0.9), (PERSON, None, 2, 0.8)], 1, 2),
        ([(PERSON, CUP, 1, 0.9)], 0.5, 1),
        ([(AWAY, CUP, 1, 0.9), (PERSON, CUP, 1, 0.8), (PERSON, None, 2, 0.7)], 2 / 3, 2),  # 1/2, 2/3: envelope 2/3
        ([(PERSON, CUP, 1, 0.9), (PERSON, CUP, 1, 0.8), (PERSON, None, 2, 0.7)], (1 + 2 / 3) / 2, 2),  # a repetition
        ([(PERSON, CUP, 1, 0.9), (AWAY, None, 2, 0.8), (PERSON, None, 2, 0.7)], (1 + 2 / 3) / 2, 2),  # another class
        ([(AWAY, CUP, 1, 0.9)], 0, 0),
        ([], 0, 0),
    ],
)
def test_ap_of_one_image(book, rows, ap, found):
    made = book([annotated("a", HOLD, WAVE)], [predicted("a", *rows)])
    assert made.ap.tolist() == [pytest.approx(ap)]
    assert made.num_gt.tolist() == [2] and made.num_found.tolist() == [found]


def loop_ap(scores, hits, number):
    """Area under the interpolated curve, step by step."""
    order = sorted(range(len(scores)), key=lambda i: -scores[i])  # stable
    points, found = [], 0
    for rank, i in enumerate(order, start=1):
        found += hits[i]
        points.append((found / number, found / rank))
    area, before = 0.0, 0.0
    for recall in sorted({r for r, _ in points}):
        area += (recall - before) * max(p for r, p in points if r >= recall)
        before = recall
    return area


@pytest.mark.parametrize("name", DATASETS)
def test_equals_loops(tmp_path, name):
    small = SmallSet(name, tmp_path)
    run = read_run(small.path, small.images)
    made, judged = ImageBook(run), run.judged
    for i, ap in enumerate(made.ap):
        rows, number = np.flatnonzero(judged.preds.image == i), (judged.gts.image == i).sum()
        assert made.num_gt[i] == number
        assert made.num_found[i] == ((judged.gts.image == i) & (judged.taken_by >= 0)).sum()
        if number:
            assert ap == pytest.approx(loop_ap(judged.preds.scores[rows].tolist(), judged.is_tp[rows].tolist(), number))
            case = made.case(i)
            assert len(case.labelled) == number and sum(t.verdict == "found" for t in case.labelled) == case.num_found
        else:
            assert np.isnan(ap)
    assert 0.1 < np.nanmean(made.ap) < 0.95


def test_image_without_any_box(load):
    """Predictions in it vanish (QPIC's protocol) or are false positives (the others); it is no case."""
    entries = [annotated("a", HOLD), dict(file_name="empty", annotations=[], hoi_annotation=[])]
    images, path = load(entries, [predicted(name, (PERSON, CUP, 1, 0.9)) for name in ("a", "empty")])
    analysis = analyse_file(path, images, resamples=3)
    assert analysis.num_images == 2
    assert [case.file_name for case in analysis.best] == ["a"] and not analysis.worst
    assert sum(e.count for e in analysis.errors) == 0


def test_cases_in_full(load):
    entries = [annotated("a", HOLD, WAVE, (2, -1, 2))]
    found = [predicted("a", (PERSON, CUP, 1, 0.9), (PERSON, CUP, 1, 0.5), (SECOND, None, 2, 0.4), (AWAY, CUP, 1, 0.25))]
    images, path = load(entries, found)
    [case] = analyse_file(path, images, resamples=0).best
    assert (case.file_name, case.num_gt, case.num_found) == ("a", 3, 2)
    labelled = [(t.sub_box, t.obj_box, t.verb, t.object, t.score, t.verdict) for t in case.labelled]
    assert labelled == [
        (tuple(PERSON), tuple(CUP), "hold", "cup", None, "found"),
        (tuple(PERSON), None, "wave", None, None, "not found"),
        (tuple(SECOND), None, "wave", None, None, "found"),
    ]
    assert [t.score for t in case.predicted] == pytest.approx([0.9, 0.5, 0.4, 0.25])
    assert [t.verdict for t in case.predicted] == ["right", "duplicate", "right", "background"]
    assert case.predicted[2].obj_box is None and case.predicted[2].object is None
    assert case.predicted[0].obj_box == tuple(CUP) and case.predicted[0].object == "cup"


def test_best_and_worst(book):
    """Best: more triplets first; worst: more missed ones first; images that the file does not name are not shown."""
    right, wave, wrong = (PERSON, CUP, 1, 0.9), (PERSON, None, 2, 0.8), (AWAY, CUP, 1, 0.7)
    cases = {
        "one right": ([HOLD], [right]),
        "one missed": ([HOLD], [wrong]),
        "two missed": ([HOLD, WAVE], [wrong]),
        "two right": ([HOLD, WAVE], [right, wave]),
        "half": ([HOLD, WAVE], [right]),
        "no truth": ([], [wrong]),
        "not named": ([HOLD, WAVE, (2, -1, 2)], None),
        "one right, too": ([HOLD], [right, wrong]),
    }
    entries = [annotated(name, *hois) for name, (hois, _) in cases.items()]
    made = book(entries, [predicted(name, *rows) for name, (_, rows) in cases.items() if rows is not None])
    names = list(cases)
    assert [names[i] for i in made.best(9)] == ["two right", "one right", "one right, too", "half"]
    assert [names[i] for i in made.best(2)] == ["two right", "one right"]
    assert [names[i] for i in made.worst(9)] == ["two missed", "one missed", "half"]
    expected = {name: 1.0 if "right" in name else 0.5 if name == "half" else 0.0 for name in names}
    expected["no truth"] = np.nan
    np.testing.assert_equal(made.ap, list(expected.values()))


def test_the_best_predictions_are_shown(book):
    """In descending order; forbidden combinations, whose score is 0, are not."""
    rows = [(PERSON, None, 2, float(score)) for score in np.linspace(0.1, 0.9, NUM_PREDICTED + 5)]
    made = book([annotated("a", WAVE)], [predicted("a", *rows)])
    scores = [t.score for t in made.case(0).predicted]
    assert len(scores) == NUM_PREDICTED and scores == sorted(scores, reverse=True) and scores[0] == pytest.approx(0.9)
    made = book([annotated("a", HOLD)], [predicted("a", (PERSON, CUP, 1, 0.5), (PERSON, CUP, 2, 0.9))])
    assert [t.verb for t in made.case(0).predicted] == ["hold"]


def test_subject_of_another_class_is_named(load):
    images, path = load([annotated("a", HOLD, (1, 0, 1))], [predicted("a", (PERSON, CUP, 1, 0.9))])
    aps = {row.name: row.ap for row in analyse_file(path, images, resamples=0).classes}
    assert aps == pytest.approx({"hold cup": 1, "hold person (subject: cup)": 0})
