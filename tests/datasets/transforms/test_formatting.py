"""Packing: pairs from surviving boxes."""

import numpy as np
import pytest
import torch
from mmdet.structures.bbox import HorizontalBoxes

from hqm_mmdet.datasets import PackHOIInputs
from hqm_mmdet.structures import HOIDataSample

NUM_CLASSES = 9


def results(survivors=(0, 1, 2), pairs=((0, 1), (0, -1), (2, 1))):
    """Box i is [i, i, i + 10, i + 10] with label i + 3; pair k has verb k."""
    boxes = [[i, i, i + 10, i + 10] for i in survivors]
    return dict(
        img=np.zeros((20, 30, 3), dtype=np.uint8),
        img_id=4,
        img_path="a.jpg",
        ori_shape=(40, 60),
        img_shape=(20, 30),
        scale_factor=(0.5, 0.5),
        flip=False,
        gt_bboxes=HorizontalBoxes(boxes, dtype=torch.float32),
        gt_bboxes_labels=np.array(survivors, dtype=np.int64) + 3,
        gt_ignore_flags=np.zeros(len(survivors), dtype=bool),
        gt_instances_ids=np.array(survivors, dtype=np.int64),
        gt_pairs_ids=np.array(pairs, dtype=np.int64).reshape(-1, 2),
        gt_pairs_verbs=np.eye(4, dtype=np.float32)[: len(pairs)],
        num_classes=NUM_CLASSES,
    )


def pack(**options):
    return PackHOIInputs()(results(**options))


def test_sample():
    packed = pack()
    sample = packed["data_samples"]
    assert packed["inputs"].shape == (3, 20, 30) and packed["inputs"].dtype == torch.uint8
    assert isinstance(sample, HOIDataSample)
    assert (sample.img_id, sample.img_path, sample.ori_shape, sample.img_shape) == (4, "a.jpg", (40, 60), (20, 30))
    assert sample.flip is False and sample.scale_factor == (0.5, 0.5)
    assert len(sample.gt_instances) == 3


def test_pairs_are_plain_tensors_with_absent_objects():
    pairs = pack()["data_samples"].gt_pairs
    assert type(pairs.sub_bboxes) is torch.Tensor and type(pairs.obj_bboxes) is torch.Tensor
    assert pairs.sub_bboxes.tolist() == [[0, 0, 10, 10], [0, 0, 10, 10], [2, 2, 12, 12]]
    assert pairs.obj_bboxes.tolist() == [[1, 1, 11, 11], [0, 0, 0, 0], [1, 1, 11, 11]]
    assert pairs.obj_labels.tolist() == [4, NUM_CLASSES, 4]
    assert pairs.verb_labels.tolist() == np.eye(4)[:3].tolist()


@pytest.mark.parametrize(
    "survivors, verbs_left",
    [((0, 1), [0, 1]), ((0,), [1]), ((1, 2), [2]), ((2, 0), [1]), ((1,), []), ((), []), ((2, 1, 0), [0, 1, 2])],
)
def test_pairs_vanish_with_their_boxes(survivors, verbs_left):
    pairs = pack(survivors=survivors)["data_samples"].gt_pairs
    assert pairs.verb_labels.argmax(1).tolist() == verbs_left
    expected = {0: (0, 1), 1: (0, None), 2: (2, 1)}
    for verb, subject, obj in zip(verbs_left, pairs.sub_bboxes[:, 0], pairs.obj_bboxes[:, 0], strict=True):
        assert (subject, obj) == (expected[verb][0], expected[verb][1] or 0)


@pytest.mark.parametrize("options", [dict(survivors=()), dict(pairs=()), dict(survivors=(), pairs=())])
def test_empty_pairs_have_shapes_and_types(options):
    pairs = pack(**options)["data_samples"].gt_pairs
    assert len(pairs) == 0
    shapes = {name: (tuple(value.shape), value.dtype) for name, value in pairs.items()}
    assert shapes == dict(
        sub_bboxes=((0, 4), torch.float32),
        obj_bboxes=((0, 4), torch.float32),
        obj_labels=((0,), torch.int64),
        verb_labels=((0, 4), torch.float32),
    )


def test_ground_truth_for_evaluation_is_packed_whatever_the_meta_keys():
    gt_hois = dict(boxes=np.zeros((1, 4)), labels=np.zeros(1), hois=np.zeros((0, 3)))
    sample = PackHOIInputs(meta_keys=("img_id",))(dict(results(), gt_hois=gt_hois))["data_samples"]
    assert set(sample.metainfo) == {"img_id", "gt_hois"}
    assert sample.to_dict()["gt_hois"]["boxes"].shape == (1, 4)


def test_image_without_annotations():
    plain = {key: value for key, value in results().items() if not key.startswith("gt_")}
    sample = PackHOIInputs()(plain)["data_samples"]
    assert "gt_pairs" not in sample and "gt_hois" not in sample


def test_transform_that_filters_boxes_but_not_ids_is_named():
    broken = results()
    broken["gt_bboxes"], broken["gt_bboxes_labels"] = broken["gt_bboxes"][:2], broken["gt_bboxes_labels"][:2]
    broken["gt_ignore_flags"] = broken["gt_ignore_flags"][:2]
    with pytest.raises(ValueError, match="3 gt_instances_ids for 2 boxes.*FilterAnnotations"):
        PackHOIInputs()(broken)
