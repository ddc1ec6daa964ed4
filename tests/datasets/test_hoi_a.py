"""HOI-A: the real test annotations."""

import json

import numpy as np
import pytest

from hqm_mmdet.datasets import HOIADataset


@pytest.fixture(scope="module")
def folder(data_dir):
    return data_dir / "hoi_a"


def test_names_and_table_equal_the_reference_lists(folder):
    names = json.loads((folder / "class_names.json").read_text())
    assert list(HOIADataset.METAINFO["classes"]) == [*names["objects"].values()]
    assert list(HOIADataset.METAINFO["verbs"]) == [*names["verbs"].values()]
    assert ((np.load(folder / "corre_hoia.npy") > 0) == HOIADataset.VALID_PAIRS).all()


@pytest.mark.parametrize("corre_file", [None, "corre_hoia.npy"])
def test_real_test_images_with_string_ids(folder, tmp_path, corre_file):
    for name in ("test_hoia.json.gz", *([corre_file] if corre_file else [])):
        (tmp_path / name).symlink_to(folder / name)
    dataset = HOIADataset(ann_file="test_hoia.json", data_root=str(tmp_path), test_mode=True)
    hois = np.concatenate([dataset.get_data_info(i)["gt_hois"]["hois"] for i in range(len(dataset))])
    assert len(dataset) == 8787 and len(hois) == 21623 and hois[:, 1].min() >= 0
    assert np.bincount(hois[:, 2])[[6, 7]].tolist() == [9805, 95]  # hold, kick
    assert dataset.metainfo["valid_pairs"].sum() == 17 and dataset.metainfo["rare_triplets"] == []
