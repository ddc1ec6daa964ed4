"""HICO-DET: the real annotation files, all of them, against the reference lists."""

import gzip
import json

import numpy as np
import pytest

from hqm_mmdet.datasets import HICODetDataset, read_annotations
from tests.datasets.tiny_hoi import build, entry, write_dataset, write_hico_layout


def load(path):
    content = path.read_bytes()
    return json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)


@pytest.fixture(scope="module")
def folder(data_dir):
    return data_dir / "hico_det"


@pytest.fixture(scope="module")
def train(folder):
    """All training annotations; strict: the official files have no defect."""
    return HICODetDataset(ann_file="trainval_hico.json", data_root=str(folder), max_boxes=None, strict=True)


@pytest.fixture(scope="module")
def test(folder):
    return HICODetDataset(ann_file="test_hico.json", data_root=str(folder), test_mode=True, strict=True)


@pytest.fixture(scope="module")
def infos(train, test):
    return dict(train=[*map(train.get_data_info, range(len(train)))], test=[*map(test.get_data_info, range(len(test)))])


def test_class_names_and_ids_equal_the_reference_lists(folder):
    table = HICODetDataset.METAINFO
    assert list(table["classes"]) == load(folder / "object_names.json")
    assert list(table["verbs"]) == load(folder / "verb_names.json")
    hois = load(folder / "hoi_list.json")
    assert {h["object_coco_id"]: h["object_index"] for h in hois} == {
        category: label for label, category in enumerate(table["category_ids"])
    }
    assert all(table["verbs"][table["verb_ids"].index(h["verb_id"])] == h["verb"] for h in hois)
    assert len(table["verb_ids"]) == len(table["verbs"]) == 117 and table["classes"][0] == "person"


def test_every_training_image_is_read_and_repeated_pairs_become_one(infos):
    infos = infos["train"]
    assert len(infos) == 37633
    assert sum(len(i["instances"]) for i in infos) == 152785
    assert sum(len(i["pairs"]) for i in infos) == 93080
    assert sum(len(verbs) for i in infos for *_, verbs in i["pairs"]) == 117871 - 119  # exact repetitions
    assert {verb for i in infos for *_, verbs in i["pairs"] for verb in verbs} == set(range(117))


@pytest.mark.parity
def test_class_counts_equal_the_official_tables_of_re_weighting(train, reference_dir):
    file = reference_dir / "cdn" / "reweight_init_counts.json"
    if not file.is_file():
        pytest.skip(f"no file {file}")
    expected = load(file)["hico"]
    for ours, official in (("objects", "obj_counts"), ("verbs", "verb_counts")):
        counts = train.class_counts[ours].tolist()[: len(expected[official]) - 1]
        assert [*counts, 3 * sum(counts)] == expected[official]
    assert train.class_counts["objects"][-1] == 0  # every pair of HICO-DET has an object


def test_training_keeps_a_hundred_boxes_and_says_so(folder, infos, logged):
    dataset = HICODetDataset(ann_file="trainval_hico.json", data_root=str(folder))
    crowded = [i for i in infos["train"] if len(i["instances"]) > 100]
    assert len(dataset) == 37633 and len(crowded) == 4
    for info in crowded:
        kept = dataset.get_data_info(info["img_id"])
        assert kept["instances"] == info["instances"][:100]
        assert kept["pairs"] == [p for p in info["pairs"] if max(p[:2]) < 100]
    assert len(logged) == 1 and "4 x image with too many boxes" in logged[0] and "strict" not in logged[0]


def test_every_test_image_is_read_as_annotated(test, infos):
    infos = infos["test"]
    raw = read_annotations(test.ann_file)
    assert len(infos) == len(raw) == 9546
    assert sum(len(i["gt_hois"]["boxes"]) for i in infos) == 56786
    assert sum(len(i["gt_hois"]["hois"]) for i in infos) == 33405
    for info, item in zip(infos[::97], raw[::97], strict=True):
        truth = info["gt_hois"]
        assert truth["boxes"].tolist() == [a["bbox"] for a in item["annotations"]]
        assert (truth["hois"][:, 2] + 1).tolist() == [h["category_id"] for h in item["hoi_annotation"]]


@pytest.mark.parametrize("split", ["train", "test"])
def test_subjects_are_persons_and_ids_are_unique(split, infos):
    infos = infos[split]
    assert len({i["img_id"] for i in infos}) == len({i["img_path"] for i in infos}) == len(infos)
    assert all(i["instances"][s]["bbox_label"] == 0 for i in infos for s, *_ in i["pairs"])


@pytest.mark.parametrize("split", ["train", "test"])
def test_no_box_is_lost_by_clipping(split, folder, infos):
    sizes = load(folder / "image_sizes.json.gz")[f"{split}2015"]
    for info in infos[split]:
        boxes = np.array([i["bbox"] for i in info["instances"]])
        clipped = np.clip(boxes, 0, sizes[info["img_path"].split("/")[-1]] * 2)
        assert (clipped[:, 2:] > clipped[:, :2]).all()


@pytest.mark.parametrize("split", ["train", "test"])
def test_tables_equal_the_reference_lists(split, folder, request):
    info = request.getfixturevalue(split).metainfo
    official = np.load(folder / "corre_hico.npy") > 0
    hois = {h["hoi_id"]: (h["object_index"], h["verb_id"] - 1) for h in load(folder / "hoi_list.json")}
    rare = {hois[i] for i in load(folder / "rare_hois.json")["rare"]}
    assert (info["valid_pairs"] == official).all() and official.sum() == 600
    assert set(info["rare_triplets"]) == rare and len(rare) == 138


def test_tables_derived_without_the_file_are_the_same(folder, tmp_path):
    for name in ("trainval_hico.json.gz", "test_hico.json.gz"):
        (tmp_path / name).symlink_to(folder / name)
    dataset = HICODetDataset(ann_file="test_hico.json", data_root=str(tmp_path), test_mode=True)
    assert (dataset.metainfo["valid_pairs"] == (np.load(folder / "corre_hico.npy") > 0)).all()
    assert len(dataset.metainfo["rare_triplets"]) == 138


def test_official_folder_layout(tmp_path, data_dir):
    root = write_hico_layout(tmp_path / "hico_20160224_det", data_dir)
    pipeline = [dict(type="LoadHOIImage"), dict(type="LoadHOIAnnotations"), dict(type="PackHOIInputs")]
    dataset = build(
        "HICODetDataset",
        ann_file="annotations/trainval_hico.json",
        data_root=str(root),
        data_prefix=dict(img="images/train2015"),
        pipeline=pipeline,
    )
    sample = dataset[0]["data_samples"]
    assert sample.img_path.endswith("images/train2015/HICO_train2015_00000001.jpg")
    assert sample.gt_pairs.verb_labels.nonzero()[:, 1].tolist() == [72, 76, 87, 98]


def test_missing_files_name_the_layout(tmp_path):
    arguments = dict(ann_file="annotations/test_hico.json", data_root=str(tmp_path), test_mode=True)
    with pytest.raises(FileNotFoundError, match=r"annotations/test_hico\.json .*train2015,test2015.*See docs/data"):
        HICODetDataset(**arguments)
    write_dataset(tmp_path / "annotations", [entry()], "test_hico.json")
    with pytest.raises(FileNotFoundError, match=r"annotations/trainval_hico\.json .*rare set are counted in it"):
        HICODetDataset(**arguments)
    write_dataset(tmp_path / "annotations", [entry()], "trainval_hico.json")
    with pytest.raises(FileNotFoundError, match=r"Image folder .*images/test2015 does not exist.*See docs/data"):
        build(
            "HICODetDataset", **arguments, data_prefix=dict(img="images/test2015"), pipeline=[dict(type="LoadHOIImage")]
        )


def test_ids_of_another_data_set_are_refused(tmp_path):
    arguments = write_dataset(tmp_path, [entry(boxes=[(1, 1, 9, 9, 12)])])
    del arguments["metainfo"]
    with pytest.raises(
        ValueError, match=r"annotations\[0\]\.category_id: unknown id 12, known are 1 \.\.\. 90 \(80 ids\)"
    ):
        HICODetDataset(**arguments)
