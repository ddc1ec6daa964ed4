import json

import numpy as np
import pytest
from PIL import Image

from hqm_mmdet.datasets import HICODetDataset, PaStaNetHOIDataset
from hqm_mmdet.evaluation.analysis import analyse_file
from hqm_mmdet.evaluation.offline import evaluate_file, load_evaluation_set

BOXES = [dict(bbox=[0, 0, 50, 90], category_id=1), dict(bbox=[30, 20, 80, 60], category_id=2)]


def hoi(verb):
    return dict(subject_id=0, object_id=1, category_id=verb)


@pytest.fixture
def data_set(tmp_path):
    """Two images in the documented form; one shows HICO-DET's no_interaction too."""
    rows = [
        dict(file_name="a.jpg", annotations=BOXES, hoi_annotation=[hoi(77), hoi(58)]),
        dict(file_name="b.jpg", annotations=BOXES, hoi_annotation=[hoi(58)]),
        dict(file_name="c.jpg", annotations=BOXES, hoi_annotation=[hoi(117), hoi(77)]),
    ]
    for row in rows:
        Image.new("RGB", (100, 100)).save(tmp_path / row["file_name"])
    (tmp_path / "trainval_pastanet.json").write_text(json.dumps(rows))
    common = dict(data_root=str(tmp_path), data_prefix=dict(img=""), ann_file="trainval_pastanet.json")
    return PaStaNetHOIDataset(**common)


def test_classes_are_hico_det_s_without_no_interaction():
    info, hico = PaStaNetHOIDataset.METAINFO, HICODetDataset.METAINFO
    assert len(info["verbs"]) == len(info["verb_ids"]) == 116 and info["classes"] == hico["classes"]
    assert "no_interaction" not in info["verbs"] and 58 not in info["verb_ids"]
    assert PaStaNetHOIDataset.VALID_PAIRS.shape == (116, 80) and PaStaNetHOIDataset.VALID_PAIRS.sum() == 520


def test_no_interaction_is_left_out_and_other_verbs_keep_their_names(data_set):
    names = data_set.metainfo["verbs"]
    items = [data_set.get_data_info(i) for i in range(len(data_set))]
    verbs = [[names[v] for pair in item["pairs"] for v in pair[2]] for item in items]
    assert [sorted(image) for image in verbs] == [["ride"], [], ["ride", "zip"]]
    assert np.array_equal(data_set.metainfo["valid_pairs"], PaStaNetHOIDataset.VALID_PAIRS)


def test_evaluation_counts_what_happens_only(tmp_path):
    boxes = [*BOXES, dict(bbox=[30, 20, 80, 60], category_id=3)]
    truth = [dict(file_name="a.jpg", annotations=boxes, hoi_annotation=[hoi(77), hoi(58)])]
    rows = [dict(hoi(77), score=0.5), dict(hoi(58), score=0.9)]  # as a model of HICO-DET predicts
    (tmp_path / "test.json").write_text(json.dumps(truth))
    (tmp_path / "predictions.json").write_text(
        json.dumps([dict(file_name="a.jpg", predictions=boxes, hoi_prediction=rows)])
    )
    images = load_evaluation_set("pastanet", str(tmp_path / "test.json"))
    assert images.metric.vocabulary.verb_mask[:-1].sum() == 520
    metrics = evaluate_file(tmp_path / "predictions.json", images).metrics
    assert metrics == pytest.approx({"pastanet/full": 1.0, "pastanet/max_recall": 1.0})
    analysis = analyse_file(tmp_path / "predictions.json", images, resamples=0)
    assert [row.name for row in analysis.classes] == ["ride bicycle"] and analysis.classes[0].group is None
