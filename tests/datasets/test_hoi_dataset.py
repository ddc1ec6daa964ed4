"""The reader: items and samples."""

import numpy as np

from hqm_mmdet.datasets import HOIDataset
from tests.datasets.tiny_hoi import BOXES, PIPELINE, build, entry, write_dataset


def test_training_items(arguments):
    dataset = build(**arguments)
    assert len(dataset) == 3
    info = dataset.get_data_info(0)
    assert info["img_path"].endswith("/data/images/a.png") and info["img_id"] == 0
    assert info["instances"][1] == dict(bbox=[50, 20, 70, 40], bbox_label=1, ignore_flag=0)
    assert info["pairs"] == [(0, 1, [0, 1]), (0, 2, [0]), (0, -1, [2])]
    assert "gt_hois" not in info
    assert dataset.get_cat_ids(2) == [0, 1, 2]


def test_sample(arguments):
    sample = build(**arguments)[0]["data_samples"]
    assert sample.img_id == 0 and sample.ori_shape == (80, 96)
    assert sample.gt_pairs.verb_labels.tolist() == [[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]]
    assert sample.gt_pairs.obj_labels.tolist() == [1, 2, 3]
    assert len(build(**arguments)[1]["data_samples"].gt_pairs) == 0


def test_evaluation_gets_everything_as_annotated(eval_arguments):
    annotated = dict(
        boxes=[list(box[:4]) for box in BOXES],
        labels=[0, 1, 2],
        hois=[[0, 1, 0], [0, 2, 0], [0, 1, 1], [0, -1, 2], [0, 1, 0]],  # the repetition too
    )
    truth = build(**eval_arguments)[0]["data_samples"].gt_hois
    assert {key: value.tolist() for key, value in truth.items()} == annotated
    assert truth["boxes"].dtype == np.float64
    empty = build(**eval_arguments)[1]["data_samples"].gt_hois
    assert empty["boxes"].shape == (1, 4) and empty["hois"].shape == (0, 3)


def test_evaluation_neither_clips_nor_limits(tmp_path):
    boxes = [(-5, 0, 500, 60, 1), (50, 20, 50, 40, 7), (1, 2, 30, 40, 90)]
    arguments = write_dataset(tmp_path, [entry("a.png", boxes, [(0, 1, 1)])])
    dataset = build(**arguments, pipeline=PIPELINE, test_mode=True, vocabulary_ann_file="train.json", max_boxes=1)
    truth = dataset[0]["data_samples"].gt_hois
    assert truth["boxes"].tolist() == [list(box[:4]) for box in boxes] and truth["hois"].tolist() == [[0, 1, 0]]


def test_image_ids_are_positions_in_the_file_whatever_is_left_out(tmp_path):
    entries = [
        entry("a.png", hois=[(0, 9, 1)]),
        dict(entry("b.png"), img_id=77),
        entry("c.png", hois=[]),
        entry("d.png"),
    ]
    dataset = build(**write_dataset(tmp_path, entries), filter_cfg=dict(filter_empty_gt=True))
    assert [dataset.get_data_info(i)["img_id"] for i in range(len(dataset))] == [1, 3]


def test_filter_of_images_without_pairs_spares_evaluation(arguments, eval_arguments):
    drop_empty = dict(filter_cfg=dict(filter_empty_gt=True))
    assert len(build(**arguments, **drop_empty)) == 2
    assert len(build(**eval_arguments, **drop_empty)) == 3


def test_subsets(arguments):
    assert len(build(**arguments, indices=2)) == 2
    subset = build(**arguments).get_subset([2, 0])
    assert [subset.get_data_info(i)["img_id"] for i in range(2)] == [2, 0]


def test_not_serialized_data_are_the_same(arguments):
    plain, packed = build(**arguments, serialize_data=False), build(**arguments)
    assert [plain.get_data_info(i) for i in range(3)] == [packed.get_data_info(i) for i in range(3)]


def test_lazy_data_set_is_filled_on_demand(arguments):
    dataset = build(**arguments, lazy_init=True)
    assert isinstance(dataset, HOIDataset) and "valid_pairs" not in dataset.metainfo
    dataset.full_init()
    assert len(dataset) == 3 and "valid_pairs" in dataset.metainfo
