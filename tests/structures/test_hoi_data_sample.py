"""The sample type."""

import pytest
import torch
from mmengine.structures import InstanceData

from hqm_mmdet.structures import HOIDataSample, new_pairs


def test_fields_are_typed():
    sample = HOIDataSample()
    sample.gt_pairs = new_pairs(torch.zeros(2, 4), torch.zeros(2, 4), torch.zeros(2), verb_labels=torch.zeros(2, 5))
    assert isinstance(sample.gt_pairs, InstanceData) and len(sample.gt_pairs) == 2
    with pytest.raises(AssertionError):
        sample.pred_pairs = dict()
    del sample.gt_pairs
    assert "gt_pairs" not in sample


def test_pairs_of_unequal_length_are_refused():
    with pytest.raises(AssertionError):
        new_pairs(torch.zeros(2, 4), torch.zeros(3, 4), torch.zeros(2))


def test_no_pairs():
    pairs = new_pairs(torch.zeros(0, 4), torch.zeros(0, 4), torch.zeros(0), verb_labels=torch.zeros(0, 5))
    assert len(pairs) == 0 and pairs.verb_labels.shape == (0, 5)


def test_to_dict_and_device_keep_pairs():
    sample = HOIDataSample(metainfo=dict(img_id=3))
    sample.pred_pairs = new_pairs(torch.ones(1, 4), torch.ones(1, 4), torch.ones(1))
    moved = sample.to("cpu")
    assert moved.img_id == 3 and moved.pred_pairs.sub_bboxes.sum() == 4
    assert set(sample.to_dict()["pred_pairs"].keys()) == {"sub_bboxes", "obj_bboxes", "obj_labels"}
