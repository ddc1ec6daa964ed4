"""Predictions written in other code bases' formats: read back, they give the same numbers."""

import json
import pickle

import numpy as np
import pytest
from scipy.io import loadmat

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.evaluation.exchange import FORMATS, write_predictions
from hqm_mmdet.evaluation.offline import evaluate_file, load_evaluation_set
from tests.cli.running import run
from tests.evaluation.test_offline import HICO, predicted_pairs, prediction_entry


@pytest.fixture(scope="module")
def predictions(entries, tmp_path_factory):
    """Noisy predictions of images with two persons and three things, as the field writes them; real boxes."""
    rng = np.random.default_rng(3)
    rows = []
    for entry in entries:
        boxes = [*entry["annotations"] * 5][:5]
        pairs = predicted_pairs(rng, dict(entry, annotations=boxes))
        first = entry["hoi_annotation"][0]
        for key, end in (("sub_bboxes", "subject_id"), ("obj_bboxes", "object_id")):
            pairs[key][0] = entry["annotations"][first[end]]["bbox"]
        pairs["obj_labels"][0] = HICO["category_ids"].index(entry["annotations"][first["object_id"]]["category_id"])
        pairs["verb_scores"][0, first["category_id"] - 1] = 1 - rng.random() / 9
        rows.append(prediction_entry(entry["file_name"], pairs, HICO))
    path = tmp_path_factory.mktemp("predictions") / "predictions.json"
    path.write_text(json.dumps(rows))
    return path


@pytest.mark.parametrize(
    "to, protocol", [("field", "qpic"), ("genvlkt", "qpic"), ("hoitr", "ppdm"), ("matlab", "matlab")]
)
@pytest.mark.parametrize("options", [{}, dict(pair_nms={})], ids=["all", "nms"])
def test_the_same_numbers(predictions, hico_50, tmp_path, monkeypatch, to, protocol, options):
    # not 9,658: that takes minutes
    for module in ("hqm_mmdet.evaluation.exchange.mat_folder", "hqm_mmdet.evaluation.offline.mat_predictions"):
        monkeypatch.setattr(f"{module}.TEST_IMAGES", 70)
    images = load_evaluation_set("hico", hico_50.reader.ann_file, protocol=protocol, **options)
    expected = evaluate_file(predictions, images).metrics
    assert 0.2 < expected["hico/full"] < 0.99
    out = tmp_path / f"out{FORMATS[to].ending}"
    write_predictions(predictions, out, to, images)
    plain = load_evaluation_set("hico", hico_50.reader.ann_file, protocol=protocol)
    assert evaluate_file(out, plain).metrics == pytest.approx(expected, abs=1e-6)


def test_genvlkt_file_holds_the_ground_truth_too(predictions, hico_50, entries, tmp_path):
    write_predictions(predictions, tmp_path / "out.json", "genvlkt", hico_50)
    text = json.loads((tmp_path / "out.json").read_text())
    assert text.startswith("{'preds': [{'filename': 'HICO_test2015_00000001.jpg', 'predictions': [{'bbox': [")
    content = json.loads(text.replace("'", '"'))
    assert [gt["filename"] for gt in content["gts"]] == [entry["file_name"] for entry in entries]
    first = content["gts"][0]
    assert first["annotations"][0] == dict(bbox=entries[0]["annotations"][0]["bbox"], category_id=0)
    assert first["hoi_annotation"][0] == dict(subject_id=0, object_id=1, category_id=245)


def test_mat_files_have_the_layout_of_the_matlab_code(predictions, hico_50, entries, tmp_path, monkeypatch):
    monkeypatch.setattr("hqm_mmdet.evaluation.exchange.mat_folder.TEST_IMAGES", 70)
    write_predictions(predictions, tmp_path / "matlab", "matlab", hico_50)
    assert len(list((tmp_path / "matlab").iterdir())) == 80
    bicycle = loadmat(tmp_path / "matlab/detections_02.mat")["all_boxes"]
    assert bicycle.shape == (14, 70)
    shapes = {cell.shape[1] for cell in bicycle.ravel()}
    assert shapes <= {0, 9}


def test_vcoco_cache_as_plain_detections(users, vcoco_val, tmp_path):
    source = users / "vcoco_cache_template.pkl"
    write_predictions(source, tmp_path / "out.pkl", "vcoco", vcoco_val)
    rows = pickle.loads((tmp_path / "out.pkl").read_bytes())
    assert type(rows[0]) is dict and len(rows) == 192 and len(rows[0]) == 2 + 26 + 25
    assert evaluate_file(tmp_path / "out.pkl", vcoco_val).metrics == evaluate_file(source, vcoco_val).metrics


def test_vcoco_pairs_as_official_detections(vcoco_val, tmp_path):
    rng = np.random.default_rng(0)
    info, persons = vcoco_val.metric.dataset_meta, vcoco_val.metric.ground_truth().persons
    rows = []
    for i, name in enumerate(vcoco_val.file_names[:30]):
        near = persons.boxes[persons.image == i]
        pairs = dict(
            sub_bboxes=near[rng.integers(0, len(near), 4)],
            obj_bboxes=near[rng.integers(0, len(near), 4)] + 5,
            obj_labels=np.array([56, 80, 0, 80]),
            verb_scores=rng.random((4, 29)).astype(np.float32),
        )
        rows.append(prediction_entry(name, pairs, info))
    (tmp_path / "pairs.json").write_text(json.dumps(rows))
    write_predictions(tmp_path / "pairs.json", tmp_path / "out.pkl", "vcoco", vcoco_val)
    assert (
        evaluate_file(tmp_path / "out.pkl", vcoco_val).metrics
        == evaluate_file(tmp_path / "pairs.json", vcoco_val).metrics
    )


def test_what_does_not_fit_is_refused(predictions, users, hico_50, vcoco_val, tmp_path):
    with pytest.raises(ConfigError, match="for hico there is field, genvlkt, hoitr, matlab"):
        write_predictions(predictions, tmp_path / "a.pkl", "vcoco", hico_50)
    with pytest.raises(ConfigError, match="for vcoco there is vcoco"):
        write_predictions(users / "vcoco_cache_template.pkl", tmp_path / "a.json", "genvlkt", vcoco_val)
    with pytest.raises(ConfigError, match=r"a\.txt: files of this format end in \.json"):
        write_predictions(predictions, tmp_path / "a.txt", "genvlkt", hico_50)
    with pytest.raises(ConfigError, match="--continuous is about the MATLAB format"):
        write_predictions(predictions, tmp_path / "a.json", "field", hico_50, continuous=True)
    assert not list(tmp_path.iterdir())


def test_command(predictions, hico_50, tmp_path, capsys):
    arguments = predictions, tmp_path / "out.json", "--to", "genvlkt", "--ann-file", hico_50.reader.ann_file, "--quiet"
    assert run("convert-predictions", *arguments) == 0
    assert f"wrote {tmp_path / 'out.json'}: 50 images" in capsys.readouterr().out
    assert run("convert-predictions", *arguments[:3], "vcoco", *arguments[4:]) == 2
    assert "vcoco is the format of V-COCO's official script" in capsys.readouterr().err
