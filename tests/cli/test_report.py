"""hqm-mmdet report, and how it knows the data set."""

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.running import run

BOXES = [dict(bbox=[0, 0, 50, 90], category_id=1), dict(bbox=[30, 20, 80, 60], category_id=2)]
HOI = dict(subject_id=0, object_id=1, category_id=77)  # ride bicycle
NAMES = "HICO_test2015_00000001.jpg", "HICO_test2015_00000002.jpg"


def write(file: Path, content) -> Path:
    file.write_text(json.dumps(content))
    return file


def prediction(name: str, score: float) -> dict:
    return dict(file_name=name, predictions=BOXES, hoi_prediction=[dict(HOI, score=score)])


@pytest.fixture
def files(tmp_path):
    """Predictions of both images, and the annotations."""
    images = [dict(file_name=name, annotations=BOXES, hoi_annotation=[HOI]) for name in NAMES]
    predictions = write(tmp_path / "predictions.json", [prediction(name, 0.9) for name in NAMES])
    return predictions, "--ann-file", write(tmp_path / "test.json", images), "--out", tmp_path / "report", "--quiet"


def page_of(tmp_path) -> str:
    return (tmp_path / "report" / "index.html").read_text(encoding="utf-8")


def test_page_and_what_is_printed(files, tmp_path, capsys):
    Image.new("RGB", (80, 90)).save(tmp_path / NAMES[0])
    assert run("report", *files, "--images", tmp_path, "--resamples", "5", "--name", "QPIC & co") == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        "QPIC & co: mAP full 100.00 (95 % interval 100.00 to 100.00)",
        f"Open {tmp_path / 'report' / 'index.html'}",
    ]
    assert printed.err == f"1 of 2 images are missing or can't be read and drawn as grey, first {NAMES[1]}.\n"
    html = page_of(tmp_path)
    assert str(tmp_path) not in html  # it may be mailed
    assert "<h1>QPIC &amp; co</h1>" in html and html.count("data:image/jpeg") == 1 and "HICO-DET" in html


def test_no_interval_without_a_value_or_from_one_image(files, tmp_path, capsys):
    assert run("report", *files, "--resamples", "5") == 0  # "ride bicycle" is not rare
    rare = page_of(tmp_path).split("mAP rare<")[1].split("</tr>")[0]
    assert "<strong>–</strong></td>\n<td>–</td>" in rare
    write(files[2], json.loads(files[2].read_text())[:1])
    write(files[0], [prediction(NAMES[0], 0.9)])
    assert run("report", *files, "--compare", files[0], "--resamples", "5") == 0
    assert "mAP full 100.00\n" in capsys.readouterr().out
    assert "no interval" in page_of(tmp_path) and "within noise" not in page_of(tmp_path)


def test_comparison(files, tmp_path, capsys):
    other = write(tmp_path / "other.json", [prediction(NAMES[0], 0.5)])
    assert run("report", *files, "--compare", other, "--compare-name", "before", "--resamples", "0") == 0
    assert "No image folder was given" in capsys.readouterr().out
    html = page_of(tmp_path)
    assert "From the first run, before, to the second, predictions.json" in html and "+50.00" in html


def test_comparison_with_a_file_that_lacks_images(files, tmp_path, capsys):
    """Else a run would look better than one that was not evaluated to its end."""
    other = write(tmp_path / "other.json", [prediction(NAMES[0], 0.5)])
    assert run("report", *files, "--compare", other, "--resamples", "0") == 0
    assert "warning: other.json: 1 of 2 images have no prediction" in capsys.readouterr().err
    assert "other.json says nothing about 1 image; what is labelled there counts as not found." in page_of(tmp_path)


def test_images_without_prediction(files, tmp_path, capsys):
    write(files[0], [prediction(NAMES[0], 0.5)])
    assert run("report", *files, "--resamples", "0") == 0
    assert f"1 of 2 images have no prediction; their ground truth counts as not found. First: {NAMES[1]}" in (
        capsys.readouterr().err
    )
    assert "1 image without any prediction" in page_of(tmp_path)


def test_wrong_image_folder(files, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert run("report", *files, "--images", tmp_path / "empty", "--resamples", "0") == 0
    assert "None of the 2 images was found in the folder empty" in capsys.readouterr().err
    assert "None of the 2 images was found" in page_of(tmp_path)
    assert run("report", *files, "--images", tmp_path / "nowhere") == 2
    assert "nowhere: no such folder" in capsys.readouterr().err


def test_nothing_is_written_for_wrong_files(files, tmp_path, capsys):
    write(files[0], [prediction("HICO_test2015_00009999.jpg", 0.5)])
    assert run("report", *files) == 2
    assert "the annotations have no such image" in capsys.readouterr().err
    assert not (tmp_path / "report").exists()
