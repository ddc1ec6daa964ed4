"""What the report's page is made of."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from hqm_mmdet.evaluation.functional import KINDS
from hqm_mmdet.evaluation.functional.average_precision import ClassResults
from hqm_mmdet.evaluation.functional.hico import mean_results
from hqm_mmdet.pages.formats import percent
from hqm_mmdet.pages.pictures import ImageFolder
from hqm_mmdet.pages.report import build_report
from hqm_mmdet.pages.report.class_view import bin_means, class_table, long_tail
from hqm_mmdet.pages.report.curves import curve, envelope, mean_curve
from hqm_mmdet.pages.report.page import what_matters
from hqm_mmdet.pages.report.wording import ERRORS, metric_meaning, metric_name, verdict
from hqm_mmdet.structures import plain_name
from tests.pages.cases import HOSTILE, class_row, make_analysis, make_comparison

NO_IMAGES = ImageFolder(None)


def data_of(html: str) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="page-data">(.*?)</script>', html)[1])


def test_data_of_the_page():
    analysis = make_analysis()
    data = data_of(build_report(analysis, NO_IMAGES))
    assert [row[1] for row in data["classes"]["rows"]] == [plain_name(row.verb) for row in analysis.classes]
    assert data["classes"]["rows"][9][4] is None  # NaN
    cases = (*analysis.best, *analysis.worst)
    assert set(data["pictures"]) == {case.file_name for case in cases} and "changes" not in data
    assert data["pictures"]["image_3.png"] == dict(width=240, height=229, source=None, note="no image file")


def test_no_external_resource_and_no_markup_from_data():
    html = build_report(make_comparison(), NO_IMAGES)
    assert html.count("<script") == 2 and HOSTILE not in html
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", html)
    assert not re.search(r"url\((?!data:)|@import|https?://(?!www\.w3\.org/2000/svg)", html)


def test_small_enough_for_600_classes():
    comparison = make_comparison(600)
    assert len(build_report(comparison.second, NO_IMAGES).encode()) < 1e6
    assert len(build_report(comparison, NO_IMAGES).encode()) < 2e6


def test_run_without_classes_images_errors_and_values():
    analysis = replace(make_analysis(), classes=(), best=(), worst=(), errors=(), limits=(), missing=(), notes=())
    analysis = replace(analysis, metrics=tuple(replace(m, value=float("nan")) for m in analysis.metrics))
    html = build_report(analysis, NO_IMAGES)
    assert "No class has ground truth." in html and "No images to show" in html


def test_columns_follow_the_data_set():
    rows = make_analysis(5).classes
    verbs = tuple(replace(row, object=None, num_train=None, group=None, other={}) for row in rows)
    labels = [column["label"] for column in class_table(replace(make_analysis(5), classes=verbs))["columns"]]
    assert labels == ["Class", "Verb", "AP", "Recall", "Test"]


def test_long_tail_without_training_counts_counts_tests():
    analysis = make_analysis(12)
    assert long_tail(analysis).x.label == "training instances of the class"
    unknown = replace(analysis, classes=tuple(replace(row, num_train=None) for row in analysis.classes))
    chart = long_tail(unknown)
    assert chart.x.label == "test instances of the class"
    assert [dot.row for dot in chart.dots] == [i for i in range(12) if i != 9]  # class 9 has no AP
    assert "Training counts are not at hand" in build_report(unknown, NO_IMAGES)
    assert "Training counts are not at hand" not in build_report(analysis, NO_IMAGES)


def test_classes_never_trained_on_stand_at_the_left_edge():
    analysis = make_analysis(6)
    chart = long_tail(replace(analysis, classes=tuple(replace(row, num_train=0) for row in analysis.classes)))
    assert {dot.x for dot in chart.dots} == {0.5} and chart.x.at(0.5) == 0
    assert "0 training" in chart.dots[0].text


def test_means_of_like_counts():
    assert bin_means([0, 1, 3, 4, 9, 100], [0.1, 0.2, 0.4, 0.5, 0.7, 0.9]) == [
        (pytest.approx(0.5), pytest.approx(0.1)),
        (pytest.approx(3**0.5), pytest.approx(0.3)),
        (pytest.approx(6), pytest.approx(0.6)),
        (pytest.approx(100), pytest.approx(0.9)),
    ]


def test_long_curves_are_thinned_between_their_ends():
    row = class_row(0, np.random.RandomState(0))
    recall, precision = np.linspace(0.001, 0.9, 900), np.linspace(1, 0.1, 900)
    short = curve(replace(row, recall=recall, precision=precision))
    assert len(short["x"]) == len(short["y"]) == 60
    assert (short["x"][0], short["y"][0]) == (0.001, 1) and (short["x"][-1], short["y"][-1]) == (0.9, 0.1)
    assert np.interp(short["x"], recall, precision) == pytest.approx(short["y"], abs=2e-3)
    assert curve(replace(row, recall=recall[:0], precision=precision[:0])) == dict(x=[], y=[])


def test_mean_curve_is_that_of_the_envelopes():
    whole = envelope(np.array([0.25, 0.5]), np.array([0.5, 0.8]))
    assert whole[[0, 25, 50]].tolist() == [0.8, 0.8, 0.8] and whole[51:].tolist() == [0] * 50
    row = class_row(0, np.random.RandomState(0))
    rows = [
        replace(row, recall=np.array([1.0]), precision=np.array([1.0])),
        replace(row, recall=np.zeros(0), precision=np.zeros(0)),
    ]
    assert mean_curve(rows)["y"] == [0.5] * 101
    assert mean_curve([]) == dict(x=[], y=[])


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [(0.1, 0.2, "better"), (-0.2, -0.1, "worse"), (-0.1, 0.2, "within noise"), (0.0, 0.1, "within noise")],
)
def test_verdicts(low, high, word):
    difference = make_comparison(5).metrics[0]
    assert verdict(replace(difference, low=low, high=high)) == word
    assert verdict(replace(difference, low=None, high=None)) == "no interval"
    assert verdict(replace(difference, low=float("nan"), high=float("nan"))) == "no interval"


def test_every_kind_of_error_is_explained():
    assert {*KINDS, "missed", "false positives", "false negatives"} == set(ERRORS)


def test_unknown_metrics_stand_for_themselves():
    assert metric_meaning("own/other") == "" and metric_meaning("hico/ko_rare").startswith("known object")


def test_every_number_of_a_zero_shot_evaluation_has_words():
    results = ClassResults(np.arange(2), *[np.ones(2)] * 5)
    for name in mean_results(results, np.array([0]), np.array([1])):
        assert metric_name(f"hico/{name}") != f"hico/{name}" and metric_meaning(f"hico/{name}"), name
        assert metric_name(f"hico/ko_{name}").endswith(", known object")


def test_the_page_begins_with_what_matters():
    analysis = make_analysis()
    said = what_matters(analysis)
    costly = max(analysis.errors, key=lambda error: error.gain)
    assert f"What costs most: {costly.name} ({ERRORS[costly.name]})" in said
    assert f"{percent(costly.gain, 1)} points higher" in said and said in build_report(analysis, NO_IMAGES)
    assert what_matters(replace(analysis, errors=(), metrics=())) == ""
