"""Valid verb-object combinations and the rare set: derived, or from files."""

import json

import numpy as np
import pytest
import torch
from mmengine.dataset import ConcatDataset

from hqm_mmdet.safe_loading import load_untrusted
from tests.datasets.tiny_hoi import METAINFO, build, entry, write_dataset


def test_class_tables_are_derived_from_training(arguments):
    info = build(**arguments).metainfo
    assert info["valid_pairs"].astype(int).tolist() == [[0, 1, 1], [0, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert info["rare_triplets"] == [(1, 0), (1, 1), (2, 0)]
    assert info["classes"] == METAINFO["classes"] and info["verbs"] == METAINFO["verbs"]


def test_class_counts_are_those_of_all_entries_as_annotated(arguments):
    dataset = build(**dict(arguments, filter_cfg=dict(filter_empty_gt=True)))
    assert dataset.class_counts["objects"].tolist() == [0, 4, 1, 1]  # the last: no object
    assert dataset.class_counts["verbs"].tolist() == [4, 1, 1, 0]


def test_ten_instances_are_not_rare_and_repetitions_count(tmp_path):
    entries = [entry("a.png", hois=[(0, 1, 1)] * 10 + [(0, 1, 2)] * 9)]
    assert build(**write_dataset(tmp_path, entries)).metainfo["rare_triplets"] == [(1, 1)]


def test_evaluation_counts_in_the_training_annotations(tmp_path, arguments):
    root = tmp_path / "data"
    (root / "test.json").write_text(json.dumps([entry("a.png", hois=[(0, 1, 4)])]))
    test = build(**dict(arguments, ann_file="test.json", test_mode=True, vocabulary_ann_file="train.json"))
    train = build(**arguments)
    assert (test.metainfo["valid_pairs"] == train.metainfo["valid_pairs"]).all()
    # and what is evaluated without ever having been trained on is rare
    assert test.metainfo["rare_triplets"] == sorted([*train.metainfo["rare_triplets"], (1, 3)])


def test_a_part_of_the_training_set_counts_in_all_of_it(tmp_path):
    whole, part = [entry("a.png", hois=[(0, 1, 1)])] * 12, [entry("a.png", hois=[(0, 1, 2)])]
    for name, entries in (("part.json", part), ("trainval_hico.json", whole)):
        arguments = write_dataset(tmp_path, entries, name)
        assert arguments.pop("metainfo")
        # before the whole file is there, the part is what there is
        info = build("HICODetDataset", **dict(arguments, ann_file="part.json")).metainfo
        label, verb = info["category_ids"].index(7), int(name == "part.json")
        assert np.argwhere(info["valid_pairs"]).tolist() == [[verb, label]]
    assert info["rare_triplets"] == []


def test_files_take_precedence(tmp_path, arguments):
    table = np.zeros((4, 3))
    table[3, 2] = 1
    np.save(tmp_path / "data/table.npy", table)
    (tmp_path / "data/rare.json").write_text("[[90, 4], [7, 1]]")
    files = dict(corre_file="table.npy", rare_file="rare.json")
    # with both files no training annotations are needed
    info = build(**dict(arguments, **files, test_mode=True)).metainfo
    assert info["valid_pairs"].tolist() == table.astype(bool).tolist()
    assert info["rare_triplets"] == [(1, 0), (2, 3)]


def test_class_tables_of_a_checkpoint_load_without_running_code(tmp_path, arguments):
    torch.save(dict(meta=dict(dataset_meta=build(**arguments).metainfo)), tmp_path / "checkpoint.pth")
    loaded = load_untrusted(tmp_path / "checkpoint.pth")["meta"]["dataset_meta"]
    assert loaded["rare_triplets"] == [(1, 0), (1, 1), (2, 0)] and loaded["valid_pairs"].sum() == 3


def test_data_sets_with_equal_tables_can_be_joined(arguments):
    assert len(ConcatDataset([build(**arguments), build(**arguments)])) == 6


@pytest.mark.parametrize(
    "content, message",
    [
        (np.zeros((3, 4)), r"verbs x objects = \(3, 4\), but the data set has \(4, 3\)"),
        (np.array([dict(code=1)], dtype=object), "no readable NumPy array"),
    ],
)
def test_unfit_table_file(tmp_path, arguments, content, message):
    np.save(tmp_path / "data/table.npy", content, allow_pickle=True)
    with pytest.raises(ValueError, match=rf"table\.npy: {message}.*remove it"):
        build(**arguments, corre_file="table.npy")


@pytest.mark.parametrize("content", ["{", "[[90, 99]]", "[1, 2]", '{"rare": [1]}'])
def test_unfit_rare_file(tmp_path, arguments, content):
    (tmp_path / "data/rare.json").write_text(content)
    with pytest.raises(ValueError, match=r"rare\.json: expected a JSON list .*leave dataset\.rare_file unset"):
        build(**arguments, rare_file="rare.json")


def test_missing_sources_of_class_tables(arguments):
    with pytest.raises(ValueError, match="set dataset.vocabulary_ann_file .*, or give dataset.corre_file"):
        build(**arguments, test_mode=True)
    with pytest.raises(FileNotFoundError, match=r"nothing\.json.*rare set are counted in it.*vocabulary_ann_file"):
        build(**arguments, test_mode=True, vocabulary_ann_file="nothing.json")
    for name in ("corre_file", "rare_file"):
        with pytest.raises(FileNotFoundError, match=r"/data/nothing\.json does not exist"):
            build(**arguments, **{name: "nothing.json"})


def test_metainfo_without_classes_or_with_too_few_ids(arguments):
    with pytest.raises(ValueError, match="needs names_file or metainfo with 'verbs'"):
        build(**dict(arguments, metainfo=dict(classes=["person"])))
    with pytest.raises(ValueError, match="3 classes, but 2 category_ids"):
        build(**dict(arguments, metainfo=dict(METAINFO, category_ids=[1, 7])))


def test_ids_default_to_one_two_three(tmp_path):
    arguments = write_dataset(tmp_path, [entry("a.png", boxes=[(1, 1, 9, 9, 1), (1, 1, 9, 9, 3)])])
    arguments["metainfo"] = dict(classes=["person", "ball", "cup"], verbs=["hold"])
    assert build(**arguments).get_cat_ids(0) == [0, 2]
