import json
import sys

import pytest

from tests.datasets.tiny_hoi import write_own_layout
from tests.tools.conftest import ROOT

ANNOTATION = dict(
    file_name="a.png",
    annotations=[dict(bbox=[0, 0, 50, 90], category_id="1"), dict(bbox=[30, 20, 80, 60], category_id="3")],
    hoi_annotation=[dict(subject_id=0, object_id=1, category_id=1)],
)
PREDICTION = dict(
    file_name="a.png",
    predictions=ANNOTATION["annotations"],
    hoi_prediction=[dict(subject_id=0, object_id=1, category_id=1, score=0.9)],
)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "ann.json").write_text(json.dumps([ANNOTATION, dict(ANNOTATION, file_name="b.png")]))
    (tmp_path / "pred.json").write_text(json.dumps([PREDICTION]))
    return tmp_path / "pred.json", "--ann-file", tmp_path / "ann.json"


def test_table_json_and_missing_images(call, files, tmp_path, capsys):
    assert call("eval_predictions", *files, "--dataset", "hoia", "--json", "out/numbers.json") == 0
    printed = capsys.readouterr()
    assert "HOI-A, 2 images" in printed.out and "0.0500" in printed.out
    assert "1 of 2 images have no prediction" in printed.err and "b.png" in printed.err
    numbers = json.loads((tmp_path / "out" / "numbers.json").read_text())
    assert numbers == pytest.approx({"hoia/mAP": 0.05, "hoia/max_recall": 0.05})


def test_value_that_does_not_exist_is_null(call, files, tmp_path, capsys):
    annotation = dict(ANNOTATION, annotations=[dict(bbox=[0, 0, 9, 9], category_id=i) for i in (1, 2)])
    annotation["hoi_annotation"] = [dict(subject_id=0, object_id=1, category_id=77)]  # ride bicycle: not rare
    (tmp_path / "ann.json").write_text(json.dumps([annotation]))
    assert call("eval_predictions", *files, "--dataset", "hico", "--bootstrap", "5", "--json", "out.json") == 0
    numbers = json.loads((tmp_path / "out.json").read_text())
    assert numbers["hico/rare"] is None and numbers["hico/rare_low"] is None and numbers["hico/full"] == 0
    assert "5 resamples" in capsys.readouterr().out


def test_own_data(call, tmp_path, capsys):
    root = write_own_layout(tmp_path)
    entries = json.loads((root / "test.json").read_text())
    for item in entries:
        item["predictions"] = item.pop("annotations")
        item["hoi_prediction"] = [dict(hoi, score=0.5) for hoi in item.pop("hoi_annotation")]
    (root / "pred.json").write_text(json.dumps(entries))
    files = "--ann-file", root / "test.json", "--names-file", root / "names.json"
    assert call("eval_predictions", root / "pred.json", "--dataset", "own", *files) == 2
    assert "--train-ann-file" in capsys.readouterr().err
    training = "--train-ann-file", root / "train.json", "--pair-nms"
    assert call("eval_predictions", root / "pred.json", "--dataset", "own", *files, *training) == 0
    assert "4 images, 2 classes with ground truth" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--dataset", "hico", "--protocol", "voc"), "unknown protocol 'voc'"),
        (("--dataset", "hoia", "--pair-nms"), "--pair-nms is not for HOI-A"),
        (("--dataset", "own"), "--names-file names.json"),
        (("--dataset", "vcoco", "--coco-file", __file__), "official V-COCO labels go with"),
        (("--dataset", "hico", "--zero-shot", "mine"), "no zero-shot split"),
    ],
)
def test_wrong_arguments(call, files, capsys, arguments, message):
    assert call("eval_predictions", *files, *arguments) == 2
    assert message in capsys.readouterr().err


def test_as_a_user_starts_it(start, call, files, capsys):
    done = start(sys.executable, ROOT / "tools" / "eval_predictions.py", *files, "--dataset", "hoia")
    assert done.returncode == 0 and "mean" in done.stdout, done.stderr
    (files[0].parent / "pred.json").write_text("[3]")
    assert call("eval_predictions", *files, "--dataset", "hoia") == 2
    told = capsys.readouterr().err
    assert "pred.json: entry 0" in told and "Traceback" not in told
