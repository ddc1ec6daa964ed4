"""What the data set's page holds, without a browser."""

import json
import math
import re

import numpy as np
import pytest

from hqm_mmdet.datasets.checking import CheckedEntry, SplitReport, check_dataset
from hqm_mmdet.datasets.checking.sources import datasets_of_files
from hqm_mmdet.datasets.overview import overview_of
from hqm_mmdet.pages.browser import BrowsedDataset, render_browser
from hqm_mmdet.pages.browser.distributions import distribution_charts, long_tail
from hqm_mmdet.pages.browser.numbers import object_table, split_numbers, triplet_table, verb_table
from tests.cli.running import run
from tests.datasets.tiny_hoi import entry, write_dataset
from tests.pages.browser.data_sets import (
    BOLD,
    CLASSES,
    HOSTILE,
    NUM_IMAGES,
    PERSON,
    THING,
    VERBS,
    browsed,
    browsed_files,
    write_files,
)


def data_of(html: str) -> dict:
    """What the page's scripts read."""
    return json.loads(re.search(r'<script type="application/json" id="page-data">(.*?)</script>', html)[1])


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("small")


@pytest.fixture(scope="module")
def source(root):
    return browsed(root)


@pytest.fixture(scope="module")
def html(source):
    return render_browser(source, progress=False)


def test_numbers(source):
    rows = {(name, values[0]): values for name, _, values in split_numbers(source.overview)}
    assert rows["Images", "4"] == ["4", "2"] and rows["with a pair", "3"] == ["3", "2"]
    assert rows["Boxes", "10"] == ["10", "4"] and rows["per image: mean, most", "2.5, 3"] == ["2.5, 3", "2.0, 2"]
    assert rows["persons per image: mean, most", "1.0, 1"][1] == "1.0, 1"
    assert rows["Pairs of subject and object", "5"] == ["5", "2"]
    assert rows["HOI entries: a pair and one verb", "6"] == ["6", "2"] and rows["without object", "1"] == ["1", "0"]
    assert rows["Triplet classes: verb and object", "3"] == ["3", "2"]
    assert rows["not in the first split", "–"] == ["–", "1"]
    assert rows["smallest, in pixels", "96 × 80"] == rows["largest, in pixels", "96 × 80"]


def test_numbers_without_images(tmp_path):
    names = [name for name, *_ in split_numbers(browsed(tmp_path, images=False).overview)]
    assert "Images" in names and "smallest, in pixels" not in names


def test_tables(source):
    overview, splits = source.overview, source.splits
    assert splits == ["train", "test"]
    assert verb_table(overview, splits)["rows"] == [["hold", 3, 1, 2], [BOLD, 2, 1, 1], ["wave", 1, 0, 0]]
    assert object_table(overview, splits)["rows"] == [
        ["person", 0, 1, 4, 2, 0],
        [HOSTILE, 4, 0, 4, 0, 2],
        ["cup", 1, 1, 2, 2, 1],
    ]
    assert triplet_table(overview, splits)["rows"] == [
        ["hold", HOSTILE, "rare", 2, 0, 2, 0],
        ["hold", "cup", "rare", 1, 1, 1, 1],
        [BOLD, "person", "absent", 0, 1, 0, 1],
        [BOLD, HOSTILE, "rare", 2, 0, 1, 0],
        ["wave", "no object", None, 1, 0, 1, 0],
    ]


def figure(data, name):
    (found,) = [each for each in data["figures"] if each["caption"] == name]
    return found


def test_figures(html):
    data = data_of(html)
    assert len(data["figures"]) == len(data["pictures"]) == NUM_IMAGES
    a, b, c, d, f = (figure(data, f"{name}.png") for name in "abcdf")
    assert [each["name"] for each in a["sets"]] == ["Annotated HOIs"] and a["split"] == 0
    assert [(t["verb"], t["object"], t["number"]) for t in a["sets"][0]["triplets"]] == [
        ("hold", HOSTILE, 0),
        ("hold", "cup", 1),
        ("wave", None, 2),
    ]
    assert a["sets"][0]["triplets"][0]["sub"] == [10, 10, 40, 60] and a["facts"] == ["train", "3 HOIs", "3 boxes"]
    assert b["flags"] == ["HOI repeated"] and [t["verb"] for t in b["sets"][1]["triplets"]] == ["cup"]
    tiny = c["sets"][-1]
    assert tiny["name"] == "Found by the checks" and tiny["off"] and tiny["triplets"][0]["sub"] == [50, 20, 52, 40]
    assert (tiny["triplets"][0]["verb"], tiny["triplets"][0]["object"]) == ("tiny box", f"({HOSTILE})")
    assert d["facts"] == ["train", "0 HOIs", "2 boxes", "image without HOI: number of boxes: 2"]
    assert f["split"] == 1 and set(f["flags"]) == {"image missing", "unusual subject class"}


def test_pictures(html):
    data = data_of(html)
    a, f = (data["pictures"][figure(data, name)["picture"]] for name in ("a.png", "f.png"))
    assert (a["width"], a["height"]) == (96, 80) and a["source"].startswith("data:image/jpeg;base64,")
    assert f["source"] is None and f["note"] == "no image file" and f["width"] >= 40 and f["height"] >= 60
    assert "The files of 1 image are missing" in html


def test_findings(html):
    flags = {flag["name"]: (flag["counts"], flag["images"]) for flag in data_of(html)["flags"]}
    assert flags == {
        "image missing": ([0, 1], [0, 1]),
        "image of two splits": ([0, 1], [0, 1]),
        "HOI repeated": ([1, 0], [1, 0]),
        "unusual subject class": ([0, 1], [0, 1]),
        "tiny box": ([1, 0], [1, 0]),
        "image without HOI": ([1, 0], [1, 0]),
    }
    e = figure(data_of(html), "e.png")
    assert e["facts"][-1] == "image of two splits: also train, entry 0 (a.png)"


def test_names_stay_text(html):
    assert HOSTILE not in html and BOLD not in html and "&lt;script&gt;" not in html.split("page-data")[0]
    assert html.count("<script") == 2 and data_of(html)["objects"] == [*CLASSES, "no object"]
    assert data_of(html)["verbs"] == [*VERBS]


def test_no_folder_of_this_machine_is_told(html, root):
    assert str(root) not in html and "image missing" in html


def test_splits_of_the_same_name_are_told_apart(source):
    reports = [SplitReport(f"{folder}/train.json.gz", f"{folder}/train.json.gz") for folder in "ab"]
    assert BrowsedDataset("x", reports, source.overview, [], 0, 3, 12).splits == ["train 1", "train 2"]


def test_an_empty_data_set():
    report = SplitReport("train", "train.json", ("person",), ("hold",))
    html = render_browser(BrowsedDataset.of("Empty", [report]), images=False, progress=False)
    assert data_of(html)["cells"] == data_of(html)["figures"] == [] and "Nothing." in html
    report.entries.append(CheckedEntry(0, "a.png"))
    assert "1 image" in render_browser(BrowsedDataset.of("Empty", [report]), images=False, progress=False)


def test_unsound_annotations(tmp_path):
    """Every kind of defect is listed, and what is readable of the entry is shown."""
    nan, outside = entry("g.png", [PERSON, (math.nan, 2, 3, 4, 2)]), entry("h.png", [PERSON, THING], [(0, 7, 1)])
    unknown = entry("i.png", [PERSON, (1, 2, 3, 4, 99)], [(0, 1, 1), (0, -1, 3)])
    write_dataset(tmp_path, [nan, outside, unknown, dict(file_name="j.png")])
    (tmp_path / "names.json").write_text(json.dumps(dict(classes=CLASSES, verbs=VERBS)))
    files = datasets_of_files("HOIDataset", [str(tmp_path / "train.json")], ["."], str(tmp_path / "names.json"))
    reports = check_dataset(files, images=False, progress=False, suspicious=True)
    data = data_of(render_browser(BrowsedDataset.of("Bad", reports), images=False, progress=False))
    kinds = {kind for each in data["figures"] for kind in each["flags"]}
    assert {"bad box, NaN or infinite coordinate", "pair out of range"} < kinds and len(data["figures"]) == 3
    assert [t["verb"] for t in figure(data, "i.png")["sets"][0]["triplets"]] == ["wave"]
    assert figure(data, "g.png")["sets"][0]["triplets"][0]["obj"] == [None, 2, 3, 4]
    unreadable = [flag for flag in data["flags"] if flag["name"].startswith("unreadable")]
    assert unreadable[0]["counts"] == [2] and unreadable[0]["images"] == [2]


def test_charts():
    entries = [CheckedEntry(i, f"{i}.png", {0: ([0, 0, 16, 16], 0), 1: ([0, 0, 4, 4], 1)}, {}) for i in range(10)]
    for each in entries[:3]:
        each.hois = {0: (0, 1, 0)}
    report = SplitReport("train", "", ("person", "cup"), ("hold",), entries=entries)
    boxes, persons, pairs, sizes = distribution_charts(overview_of([report]), ["train"])
    assert pairs.lines[0].points == [(-0.5, 0.7), (0.5, 0.7), (0.5, 0.3), (1.5, 0.3), (1.5, 0), (2.5, 0)]
    assert max(y for _, y in boxes.lines[0].points) == 1 and (1.5, 1.0) in boxes.lines[0].points
    assert sum(y for _, y in sizes.lines[0].points) == pytest.approx(2)  # two points per bin
    assert [x for x, y in sizes.lines[0].points if y == 0.5] == pytest.approx([4, 32**0.5, 16, 512**0.5])
    assert persons.legend == [] and long_tail(overview_of([report]), ["train"]).lines[0].points == [(1, 3)]


def test_shares_of_real_annotations(data_dir):
    source = browsed_files("HOIADataset", data_dir / "hoi_a/test_hoia.json")
    for chart in distribution_charts(source.overview, source.splits):
        heights = [y for _, y in chart.lines[0].points]
        assert np.sum(heights) == pytest.approx(2)


# ---- command


def test_command(tmp_path, capsys):
    arguments = write_files(tmp_path / "data")
    assert run("browse", *arguments, "--out", tmp_path / "page", "--title", "My set", "--quiet") == 0
    printed = capsys.readouterr().out
    assert "index.html" in printed and "findings: 2 error, 1 warning" in printed
    html = (tmp_path / "page/index.html").read_text(encoding="utf-8")
    assert "My set: what is in the data set" in html and len(data_of(html)["figures"]) == NUM_IMAGES


def test_limit_of_images(tmp_path, capsys):
    arguments = write_files(tmp_path / "data")
    options = ["--max-images", "2", "--no-images", "--quiet"]
    assert run("browse", *arguments, "--out", tmp_path / "page", *options) == 0
    printed = capsys.readouterr().out
    assert "2 of 6 chosen images" in printed and "--max-images 6 shows them all" in printed
    html = (tmp_path / "page/index.html").read_text(encoding="utf-8")
    assert len(data_of(html)["figures"]) == 2 and "--max-images leaves out 4 images" in html
    assert "<h1>Own data: what is in the data set</h1>" in html
    assert all(picture["source"] is None for picture in data_of(html)["pictures"].values())


def test_usage(tmp_path, capsys):
    assert run("browse", "--out", tmp_path) == 2
    assert run("browse", "--dataset", "HOIADataset", "--ann-file", "lost.json", "--out", tmp_path, "--quiet") == 2
    assert "lost.json does not exist (nor does lost.json.gz" in capsys.readouterr().err
    assert not (tmp_path / "index.html").exists()
