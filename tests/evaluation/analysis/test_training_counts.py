"""Training instances, from the files that each data set has."""

import json

import pytest

from hqm_mmdet.datasets import VCOCODataset
from hqm_mmdet.datasets.conversion.v_coco import vcoco_entries
from hqm_mmdet.evaluation.analysis import analyse_file, count_training
from hqm_mmdet.evaluation.offline import load_evaluation_set
from tests.evaluation.analysis.small_sets import DATASETS, SmallSet, official_vcoco, write
from tests.evaluation.reference_data import read_json


@pytest.mark.parametrize("name", DATASETS)
def test_counts_of_the_file_beside(name, tmp_path):
    small = SmallSet(name, tmp_path)
    info, expected = small.images.metric.dataset_meta, {}
    for entry in small.train:
        for hoi in entry["hoi_annotation"]:
            verb = info["verbs"][list(info["verb_ids"]).index(hoi["category_id"])]
            category = entry["annotations"][hoi["object_id"]]["category_id"]
            label = info["classes"][list(info["category_ids"]).index(category)]
            key = (verb, None) if name in ("vcoco", "hoia") else (verb, label)
            expected[key] = expected.get(key, 0) + 1
    analysis = analyse_file(small.path, small.images, resamples=0)
    assert {(row.verb, row.object): row.num_train for row in analysis.classes if row.num_train} == {
        key: number for key, number in expected.items() if key in {(row.verb, row.object) for row in analysis.classes}
    }
    assert sum(row.num_train for row in analysis.classes) > 20 and not any("raining" in note for note in analysis.notes)


def test_absent_training_file(tmp_path):
    small = SmallSet("hico", tmp_path)
    (tmp_path / "trainval_hico.json").unlink()
    assert count_training(small.images) is None
    analysis = analyse_file(small.path, small.images, resamples=0)
    assert all(row.num_train is None for row in analysis.classes)
    [note] = [note for note in analysis.notes if "doubtful" not in note]  # the scores are drawn at random
    assert "--train-ann-file" in note and "trainval_hico.json" in note
    given = write(tmp_path / "elsewhere.json", small.train)
    test = str(tmp_path / "test.json")
    assert count_training(load_evaluation_set("hico", test, train_ann_file=given)).table.sum() > 20
    with pytest.raises(FileNotFoundError, match=r"absent\.json"):
        count_training(load_evaluation_set("hico", test, train_ann_file=str(tmp_path / "absent.json")))


def test_hois_without_object_and_bad_images(tmp_path):
    """An image whose HOI names no box is left out, as in training."""
    small = SmallSet("own", tmp_path)
    boxes = [dict(bbox=[0, 0, 9, 9], category_id=1)]
    wave = dict(subject_id=0, object_id=-1, category_id=2)
    bad = dict(file_name="bad", annotations=boxes, hoi_annotation=[wave, dict(wave, object_id=7)])
    small.train = [dict(file_name="a", annotations=boxes, hoi_annotation=[wave, wave]), bad]
    counts = count_training(small.load_as_it_is())
    assert counts.of(1, 3) == counts.of(1, -1) == counts.table.sum() == 2 and counts.of(1, 0) == 0


@pytest.mark.parametrize("official", [True, False])
def test_official_vcoco_counts_equal_the_converted_ones(tmp_path, official):
    images, _ = official_vcoco(tmp_path)
    labels, instances = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("vcoco_test", "instances"))
    verbs = VCOCODataset.METAINFO["verbs"]
    if official:
        write(tmp_path / "vcoco_trainval.json", labels)
    else:
        write(tmp_path / "trainval_vcoco.json", vcoco_entries(labels, instances, verbs))
    counts = count_training(images)
    positives = {entry["action_name"]: sum(entry["label"]) for entry in labels}
    for verb, name in enumerate(verbs):
        action = name.rsplit("_", 1)[0] if name.endswith(("_obj", "_instr")) else name
        assert counts.of(verb, -1) == positives[action]
    assert counts.table.sum() > 20


@pytest.mark.parity
def test_real_training_files(data_dir, tmp_path):
    hoi_list = read_json(data_dir / "hico_det" / "hoi_list.json")
    test = str(data_dir / "hico_det" / "test_hico.json.gz")
    counts = count_training(load_evaluation_set("hico", test))
    for hoi in hoi_list:
        assert counts.of(hoi["verb_id"] - 1, hoi["object_index"]) == hoi["train_instances"]
    assert counts.table.sum() == 117871
