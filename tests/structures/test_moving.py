"""HOIDataSample.to: nothing is rebuilt where nothing moves."""

import torch

from hqm_mmdet.structures import HOIDataSample, new_pairs


def sample(device="cpu"):
    pairs = new_pairs(torch.zeros(2, 4), torch.zeros(2, 4), torch.zeros(2, dtype=torch.long))
    return HOIDataSample(metainfo=dict(img_id=3), gt_pairs=pairs.to(device))


def test_a_sample_that_is_there_is_returned_as_it_is():
    here = sample()
    assert here.to("cpu") is here and here.to(torch.device("cpu")) is here


def test_a_sample_elsewhere_is_moved():
    moved = sample().to("meta")
    assert moved.gt_pairs.sub_bboxes.device.type == "meta" and moved.img_id == 3
    mixed = sample()
    mixed.pred_pairs = mixed.gt_pairs.to("meta")
    assert mixed.to("meta").gt_pairs.obj_labels.device.type == "meta"


def test_a_change_of_type_is_mmengines():
    assert sample().to(torch.float64).gt_pairs.sub_bboxes.dtype == torch.float64
