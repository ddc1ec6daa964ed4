"""Prediction files with values that no code base writes: one error that names file and entry."""

import json
import pickle

import numpy as np
import pytest

from hqm_mmdet.apis.suppress_file import read_entries
from hqm_mmdet.evaluation.offline import PredictionError, evaluate_file, load_evaluation_set

ENTRY = dict(
    file_name="a.png",
    annotations=[dict(bbox=[0, 0, 50, 90], category_id="1"), dict(bbox=[30, 20, 80, 60], category_id="3")],
    hoi_annotation=[dict(subject_id=0, object_id=1, category_id=1)],
)


@pytest.fixture
def images(tmp_path):
    (tmp_path / "ann.json").write_text(json.dumps([ENTRY, dict(ENTRY, file_name="7" * 5000 + ".png")]))
    return load_evaluation_set("hoia", str(tmp_path / "ann.json"))


def prediction(**changes):
    entry = dict(file_name="a.png", predictions=[dict(box) for box in ENTRY["annotations"]])
    return dict(entry, hoi_prediction=[dict(subject_id=0, object_id=1, category_id=1, score=0.9)], **changes)


@pytest.mark.parametrize(
    "change",
    (
        lambda e: e["predictions"][0].update(bbox=[True, 0, 9, 9]),
        lambda e: e["predictions"][0].update(bbox=[10**400, 0, 9, 9]),
        lambda e: e["predictions"][0].update(bbox={}),
        lambda e: e["hoi_prediction"][0].update(score=True),
        lambda e: e["hoi_prediction"][0].update(score=10**400),
        lambda e: e["hoi_prediction"][0].update(score=[]),
        lambda e: e["hoi_prediction"][0].update(subject_id=True),
        lambda e: e["hoi_prediction"][0].update(subject_id=10**400),
        lambda e: e["hoi_prediction"][0].update(object_id=10**30),
        lambda e: e.update(file_name=["a.png"]),
        lambda e: e.update(file_name={}),
        lambda e: e.update(file_name=True),
        lambda e: e.update(predictions=None),
        lambda e: e.update(hoi_prediction=[3]),
    ),
)
def test_json(images, tmp_path, change):
    entry = prediction()
    change(entry)
    (tmp_path / "pred.json").write_text(json.dumps([entry]))
    with pytest.raises(PredictionError, match=r"pred\.json: entry 0"):
        evaluate_file(tmp_path / "pred.json", images)


@pytest.mark.parametrize("text", ("[" * 100_000, '[{"a":' * 50_000, "[" + "1" * 5000 + "]", "{}", "", "[1", "[NaN]"))
def test_text(images, tmp_path, text):
    (tmp_path / "pred.json").write_text(text)
    with pytest.raises(PredictionError, match=r"pred\.json"):
        evaluate_file(tmp_path / "pred.json", images)


def test_deeply_nested_files_can_not_be_suppressed(tmp_path):
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(PredictionError, match=r"deep\.json: no JSON \(lists and dicts are nested too deeply"):
        read_entries(tmp_path / "deep.json")


@pytest.mark.parametrize(
    "content",
    (
        [dict(img_path="a.png", pred_pairs=dict(sub_bboxes={}, obj_bboxes={}, obj_labels={}, verb_scores={}))],
        [dict(img_path="a.png", pred_pairs=[1])],
        [dict(img_path=3, pred_pairs={})],
        [dict(img_path="a.png", pred_pairs={}), 3],
        [dict(boxes={}, labels={}, verb_scores={}, sub_ids={}, obj_ids={})],
        [dict(boxes=np.zeros((1, 4)), labels=np.zeros(1), verb_scores=None, sub_ids=[0], obj_ids=[0])],
    ),
    ids=range(6),
)
def test_pickles(images, tmp_path, content):
    (tmp_path / "pred.pkl").write_bytes(pickle.dumps(content))
    with pytest.raises(PredictionError, match=r"pred\.pkl: entry [01]"):
        evaluate_file(tmp_path / "pred.pkl", images)
