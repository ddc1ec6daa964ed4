"""V-COCO: real annotations in both formats, and what is derived."""

import json
import pickle

import numpy as np
import pytest

from hqm_mmdet.datasets import AnnotationError, VCOCODataset, read_annotations
from hqm_mmdet.datasets.conversion import vcoco_valid_pairs
from tests.datasets.tiny_hoi import build, write_image
from tests.datasets.tiny_vcoco import instances, labels, write_vcoco


@pytest.fixture(scope="module")
def folder(data_dir):
    return data_dir / "v_coco"


def items(dataset):
    return [dataset.get_data_info(i) for i in range(len(dataset))]


def test_names_equal_the_reference_lists(folder, data_dir):
    table = VCOCODataset.METAINFO
    assert list(table["verbs"]) == json.loads((folder / "verb_names.json").read_text())
    assert list(table["classes"]) == json.loads((data_dir / "hico_det/object_names.json").read_text())
    assert list(table["verb_ids"]) == list(range(29)) and table["dataset_type"] == "v_coco"


def test_valid_pairs_equal_the_prior_rules(folder):
    assert ((np.load(folder / "corre_vcoco_from_prior_rules.npy") > 0) == VCOCODataset.VALID_PAIRS).all()


def test_real_training_images(folder):
    dataset = VCOCODataset(ann_file="trainval_vcoco.json", data_root=str(folder), strict=True)
    pairs = [pair for info in items(dataset) for pair in info["pairs"]]
    assert len(dataset) == 5400
    assert sum(len(verbs) for _, obj, verbs in pairs if obj >= 0) == 13838
    assert sum(len(verbs) for _, obj, verbs in pairs if obj < 0) == 8951
    assert dataset.metainfo["valid_pairs"].sum() == 787 and dataset.metainfo["rare_triplets"] == []


@pytest.mark.parity
def test_class_counts_are_the_official_ones_less_the_entries_without_known_boxes(folder, reference_dir):
    file = reference_dir / "cdn" / "reweight_init_counts.json"
    if not file.is_file():
        pytest.skip(f"no file {file}")
    counts = VCOCODataset(ann_file="trainval_vcoco.json", data_root=str(folder)).class_counts
    missing = np.array(json.loads(file.read_text())["vcoco"]["verb_counts"][:-1]) - counts["verbs"]
    dropped = sum(entry["dropped_hoi"] for entry in read_annotations(str(folder / "trainval_vcoco.json")))
    assert (missing >= 0).all() and missing.sum() == dropped > 0
    assert counts["objects"].sum() == counts["verbs"].sum() and counts["objects"][-1] == 8951  # no object


def test_the_test_split_needs_no_training_file(tmp_path, folder):
    (tmp_path / "test_vcoco.json.gz").symlink_to(folder / "test_vcoco_pairs_only.json.gz")
    dataset = VCOCODataset(ann_file="test_vcoco.json", data_root=str(tmp_path), test_mode=True)
    assert len(dataset) == 4946 and sum(len(info["gt_hois"]["hois"]) for info in items(dataset)) == 12423


@pytest.mark.parametrize("split", ["train", "val"])
def test_official_files_give_the_same_samples(folder, split):
    root = dict(data_root=str(folder), test_mode=True)
    official = VCOCODataset(
        ann_file=f"vcoco_{split}_recovered.json", coco_file="instances_vcoco_recovered.json", **root
    )
    converted = VCOCODataset(ann_file=f"vcoco_{split}_recovered_hoia.json", **root)
    assert official.read_entries() == converted.read_entries()
    assert len(official) == {"train": 2036, "val": 2332}[split]
    for one, other in zip(items(official)[::50], items(converted)[::50], strict=True):
        assert str(one) == str(other)


def test_a_table_file_replaces_the_rules(tmp_path):
    write_vcoco(tmp_path)
    table = np.zeros((29, 80))
    table[3, 1] = 1
    np.save(tmp_path / "corre_vcoco.npy", table)
    arguments = dict(ann_file="vcoco_tiny.json", coco_file="instances.json", data_root=str(tmp_path))
    assert np.argwhere(VCOCODataset(**arguments).metainfo["valid_pairs"]).tolist() == [[3, 1]]


def test_sample_of_official_files(tmp_path):
    """A person rides a bicycle that he sits on, looks at nothing, and runs."""
    write_vcoco(tmp_path)
    write_image(tmp_path / "images" / "COCO_train2014_000000000007.jpg")
    pipeline = [dict(type="LoadHOIImage"), dict(type="LoadHOIAnnotations"), dict(type="PackHOIInputs")]
    dataset = build(
        "VCOCODataset",
        ann_file="vcoco_tiny.json",
        coco_file="instances.json",
        data_root=str(tmp_path),
        data_prefix=dict(img="images"),
        pipeline=pipeline,
    )
    pairs = dataset[0]["data_samples"].gt_pairs
    assert pairs.obj_labels.tolist() == [1, 80] and pairs.sub_bboxes[0].tolist() == [10, 10, 40, 60]
    verbs = [[dataset.metainfo["verbs"][v] for v in row.nonzero().flatten()] for row in pairs.verb_labels]
    assert verbs == [["sit_instr", "ride_instr"], ["look_obj", "run"]]
    assert pairs.obj_bboxes.tolist() == [[20, 40, 50, 70], [0, 0, 0, 0]]


def test_official_labels_alone_are_refused_with_a_remedy(tmp_path):
    write_vcoco(tmp_path)
    with pytest.raises(AnnotationError, match=r"vcoco_tiny\.json: .*official V-COCO labels.*Set dataset\.coco_file"):
        VCOCODataset(ann_file="vcoco_tiny.json", data_root=str(tmp_path))


def spoiled_labels():
    """(what is wrong, labels, instances, message)"""
    other_verb = [dict(labels()[0], action_name="fly"), *labels()[1:]]
    no_box, no_image = instances(), instances()
    no_box["annotations"] = no_box["annotations"][:1]
    no_image["images"] = []
    return [
        ("no labels", [dict(file_name="a")], instances(), r"labels\.json: no official V-COCO labels"),
        ("no coco", labels(), [], r"coco\.json: no COCO instances file"),
        ("verb", other_verb, instances(), r"labels\.json: verbs differ.*'fly_obj', 'hold_obj'"),
        ("image", labels(), no_image, r"coco\.json: 1 of 1 labelled images are not in it, first 7\. .*another split"),
        (
            "box",
            labels(),
            no_box,
            r"labels\.json: image 7 \(COCO_.*7\.jpg\): COCO annotation 702 of the action 'sit'",
        ),
    ]


@pytest.mark.parametrize("case", spoiled_labels(), ids=lambda case: case[0])
def test_files_that_do_not_belong_together(tmp_path, case):
    _, actions, coco, message = case
    (tmp_path / "labels.json").write_text(json.dumps(actions))
    (tmp_path / "coco.json").write_text(json.dumps(coco))
    with pytest.raises(AnnotationError, match=message):
        VCOCODataset(ann_file="labels.json", coco_file="coco.json", data_root=str(tmp_path))


def test_missing_coco_file(tmp_path):
    write_vcoco(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"nothing\.json .*does not exist\. It holds the boxes"):
        VCOCODataset(ann_file="vcoco_tiny.json", coco_file="nothing.json", data_root=str(tmp_path))


# ---- prior.pickle


def prior(verbs):
    """As VSGNet writes it: an array per object class, verbs in alphabetical order."""
    rows = VCOCODataset.VALID_PAIRS[[verbs.index(verb) for verb in sorted(verbs)]].T  # (80, 29)
    return {label + 1: row[None].astype(float) for label, row in enumerate(rows)}


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_given_prior_is_read(tmp_path, protocol):
    verbs = VCOCODataset.METAINFO["verbs"]
    (tmp_path / "prior.pickle").write_bytes(pickle.dumps(prior(verbs), protocol))
    assert (vcoco_valid_pairs(tmp_path / "prior.pickle", verbs) == VCOCODataset.VALID_PAIRS).all()


def test_another_structure_is_refused(tmp_path):
    (tmp_path / "prior.pickle").write_bytes(pickle.dumps({1: np.zeros(28)}))
    with pytest.raises(AnnotationError, match=r"prior\.pickle: no prior of V-COCO, expected .*29 numbers"):
        vcoco_valid_pairs(tmp_path / "prior.pickle", VCOCODataset.METAINFO["verbs"])
