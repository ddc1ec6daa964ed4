"""The same reader on the real files of data sets that have no class of their own yet."""

import json

import numpy as np
import pytest

from hqm_mmdet.datasets import HICODetDataset, HOIDataset


def test_hoi_a_writes_object_ids_as_strings(data_dir):
    folder = data_dir / "hoi_a"
    names = json.loads((folder / "class_names.json").read_text())
    metainfo = dict(classes=[*names["objects"].values()], verbs=[*names["verbs"].values()])
    arguments = dict(data_root=str(folder), ann_file="test_hoia.json", metainfo=metainfo, corre_file="corre_hoia.npy")
    dataset = HOIDataset(**arguments, test_mode=True, vocabulary_ann_file="test_hoia.json")
    hois = [dataset.get_data_info(i)["gt_hois"]["hois"] for i in range(len(dataset))]
    assert len(dataset) == 8787 and sum(map(len, hois)) == 21623
    assert np.bincount(np.concatenate(hois)[:, 2])[[6, 7]].tolist() == [9805, 95]  # hold, kick
    assert dataset.metainfo["valid_pairs"].sum() == 17


@pytest.mark.parametrize("max_boxes", [None, 100])
def test_v_coco_counts_verbs_from_zero_and_has_pairs_without_object(data_dir, max_boxes):
    folder = data_dir / "v_coco"
    verbs = json.loads((folder / "verb_names.json").read_text())
    table = dict(HICODetDataset.METAINFO, verbs=verbs, verb_ids=range(29))
    dataset = HOIDataset(
        data_root=str(folder), ann_file="trainval_vcoco.json", metainfo=table, strict=True, max_boxes=max_boxes
    )
    pairs = [pair for i in range(len(dataset)) for pair in dataset.get_data_info(i)["pairs"]]
    assert len(dataset) == 5400
    assert sum(len(verbs) for _, obj, verbs in pairs if obj >= 0) == 13838
    assert sum(len(verbs) for _, obj, verbs in pairs if obj < 0) == 8951
    counts = np.load(folder / "pair_counts_trainval.npy")
    assert (dataset.metainfo["valid_pairs"] == (counts > 0)).all()
