"""The generated data set through the common reader."""

import json

import numpy as np
import pytest

from hqm_mmdet.datasets.toy import TOY_VALID, ToySettings, make_toy_hoi
from tests.datasets.tiny_hoi import PIPELINE, build


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return make_toy_hoi(tmp_path_factory.mktemp("toy"), ToySettings(num_train=12, num_test=6), progress=False)


def toy(root, split, **options):
    ann_file = "annotations/trainval_toy.json" if split == "train" else "annotations/test_toy.json"
    return build(
        "ToyHOIDataset",
        ann_file=ann_file,
        data_root=str(root),
        data_prefix=dict(img=f"images/{split}"),
        pipeline=PIPELINE,
        test_mode=split == "test",
        **options,
    )


def test_both_splits_are_read_without_defect(root):
    train, test = toy(root, "train", strict=True), toy(root, "test", strict=True)
    assert (len(train), len(test)) == (12, 6)
    assert (train.metainfo["valid_pairs"] == TOY_VALID).all()
    assert train.metainfo["rare_triplets"] == test.metainfo["rare_triplets"]
    assert sum(len(sample["data_samples"].gt_pairs) for sample in train) > 0


def test_pairs_equal_the_file(root):
    raw = json.loads((root / "annotations/test_toy.json").read_text())
    for item, sample in zip(raw, toy(root, "test"), strict=True):
        sample = sample["data_samples"]
        assert sample.img_path.endswith(item["file_name"])
        assert sample.gt_hois["boxes"].tolist() == [a["bbox"] for a in item["annotations"]]
        pairs = {(h["subject_id"], h["object_id"]) for h in item["hoi_annotation"]}
        assert len(sample.gt_pairs) == len(pairs)
        absent = sum(obj < 0 for _, obj in pairs)
        assert int((sample.gt_pairs.obj_labels == TOY_VALID.shape[1]).sum()) == absent


def test_unfinished_data_set_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"toy_hoi\.json does not exist.*make-toy data/toy_hoi"):
        toy(tmp_path, "train")


def test_data_set_of_another_version_is_refused(root, tmp_path):
    manifest = json.loads((root / "toy_hoi.json").read_text())
    manifest["verbs"] = manifest["verbs"][::-1]
    (tmp_path / "toy_hoi.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match=r"toy_hoi\.json: made with verbs .* Remove the folder.*make-toy data/toy_hoi"):
        toy(tmp_path, "train")


def test_table_file_is_used(root):
    assert np.load(root / "annotations/corre_toy.npy").shape == TOY_VALID.shape
    assert toy(root, "test").metainfo["valid_pairs"].dtype == bool
