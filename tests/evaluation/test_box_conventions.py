"""Prediction files whose boxes are not x1, y1, x2, y2 in pixels: told, read when said so, refused when strict."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from hqm_mmdet.evaluation.offline import BoxReading, PredictionError, evaluate_file, load_evaluation_set
from hqm_mmdet.evaluation.offline.box_conventions import CONVENTIONS
from hqm_mmdet.evaluation.offline.box_signs import BoxSigns
from tests.cli.running import run

FILES = {"xywh": "xywh", "norm": "fractions", "inv": "corners"}


@pytest.fixture
def truth(robust_dir, tmp_path):
    """The annotations that these files predict, and their images (128 x 128): corners in order."""
    entries = json.loads((robust_dir / "boxes_inv_predictions.json").read_text())
    for entry in entries:
        entry["annotations"] = entry.pop("predictions")
        for box in entry["annotations"]:
            x2, y2, x1, y1 = box["bbox"]
            box["bbox"] = [x1, y1, x2, y2]
        entry["hoi_annotation"] = [{k: v for k, v in h.items() if k != "score"} for h in entry.pop("hoi_prediction")]
        Image.new("RGB", (128, 128)).save(tmp_path / entry["file_name"])
    (tmp_path / "trainval_toy.json").write_text(json.dumps(entries))
    (tmp_path / "test_toy.json").write_text(json.dumps(entries))
    return tmp_path / "test_toy.json"


@pytest.fixture
def evaluate(truth, robust_dir):
    def run(kind, **reading):
        images = load_evaluation_set("toy", str(truth))
        images = replace(images, reading=BoxReading(images=truth.parent, **reading))
        return evaluate_file(robust_dir / f"boxes_{kind}_predictions.json", images)

    return run


@pytest.mark.parametrize("kind", FILES)
def test_other_conventions_are_told_with_the_likely_one(evaluate, kind):
    found = evaluate(kind)
    assert found.metrics["hico/full"] < 0.1
    (warning,) = found.warnings
    assert warning.endswith(f"--boxes {FILES[kind]}") and f"look like {CONVENTIONS[FILES[kind]]}" in warning
    with pytest.raises(PredictionError, match=f"boxes_{kind}_predictions.json: .*--boxes {FILES[kind]}"):
        evaluate(kind, strict=True)


@pytest.mark.parametrize("kind", FILES)
def test_the_option_says_which_one_a_file_has(evaluate, kind):
    found = evaluate(kind, convention=FILES[kind], strict=True)
    assert found.metrics["hico/full"] == pytest.approx(1) and not found.warnings


def test_counts(evaluate):
    assert evaluate("inv").warnings[0].startswith("36 of 36 boxes have x2 < x1 or y2 < y1. They are read as x1, y1, x2")
    assert "36 of 36 then lie on annotated ones" in evaluate("xywh").warnings[0]
    assert evaluate("norm").warnings[0].startswith("all 36 boxes lie between 0 and 0.984")


@pytest.mark.parametrize("convention", [name for name in CONVENTIONS if name != "xyxy"])
def test_what_is_said_must_fit_too(truth, robust_dir, tmp_path, convention):
    """A right file, read wrongly, is told as well."""
    entries = json.loads(truth.read_text())
    right = [
        dict(e, predictions=e["annotations"], hoi_prediction=[dict(h, score=1) for h in e["hoi_annotation"]])
        for e in entries
    ]
    (tmp_path / "right.json").write_text(json.dumps(right))
    images = load_evaluation_set("toy", str(truth))
    assert not evaluate_file(tmp_path / "right.json", images).warnings
    found = evaluate_file(tmp_path / "right.json", replace(images, reading=BoxReading(convention, truth.parent)))
    if convention == "corners":  # any order is right
        assert not found.warnings and found.metrics["hico/full"] == pytest.approx(1)
    else:
        assert found.metrics["hico/full"] < 0.2 and found.warnings[0].endswith("--boxes xyxy")


def test_sizes_of_images(truth, robust_dir, tmp_path):
    images = replace(load_evaluation_set("toy", str(truth)), reading=BoxReading("fractions"))
    with pytest.raises(
        PredictionError, match=r"norm_predictions.json: entry 0 .*size of toy_test_00000001.png is not known.*--images"
    ):
        evaluate_file(robust_dir / "boxes_norm_predictions.json", images)
    entries = json.loads((robust_dir / "boxes_norm_predictions.json").read_text())
    (tmp_path / "sized.json").write_text(json.dumps([dict(entry, width=128, height=128) for entry in entries]))
    assert evaluate_file(tmp_path / "sized.json", images).metrics["hico/full"] == pytest.approx(1)


def test_sound_files_raise_no_doubt():
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 300, (40, 2))
    truth = np.concatenate([corner, corner + rng.uniform(5, 200, (40, 2))], axis=1)
    for boxes in (truth, truth + rng.normal(0, 3, truth.shape), truth[:0], np.zeros((5, 4)), truth[::-1] + 1000):
        signs = BoxSigns(BoxReading())
        signs.add_boxes(boxes.astype(np.float32), truth)
        assert signs.finding() is None


def test_command_line(truth, robust_dir, capsys, tmp_path):
    file = robust_dir / "boxes_xywh_predictions.json"
    assert run("eval", file, "--ann-file", truth) == 0
    assert "boxes have x2 < x1 or y2 < y1" in capsys.readouterr().err
    assert run("eval", file, "--ann-file", truth, "--strict") == 2
    assert run("eval", file, "--ann-file", truth, "--boxes", "xywh", "--strict") == 0
    assert "1.0000" in capsys.readouterr().out
    assert run("report", file, "--ann-file", truth, "--out", tmp_path, "--resamples", 0, "--quiet") == 0
    assert "--boxes xywh" in capsys.readouterr().err
    assert "These numbers are doubtful" in next(tmp_path.glob("*.html")).read_text()
