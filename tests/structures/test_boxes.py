"""Box helpers."""

import torch

from hqm_mmdet.structures import cxcywh_to_xyxy, pair_iou, xyxy_to_cxcywh


def random_boxes(count):
    low = torch.rand(count, 2)
    return torch.cat([low, low + torch.rand(count, 2) + 0.1], dim=1)


def test_round_trip():
    boxes = random_boxes(9).view(3, 3, 4)
    torch.testing.assert_close(cxcywh_to_xyxy(xyxy_to_cxcywh(boxes)), boxes)


def test_centre_and_size():
    assert xyxy_to_cxcywh(torch.tensor([2.0, 4.0, 6.0, 10.0])).tolist() == [4, 7, 4, 6]


def test_pair_iou_is_the_smaller_one():
    sub, obj = random_boxes(4), random_boxes(4)
    far = obj + 100
    assert pair_iou(sub, obj, sub, obj).diag().tolist() == [1] * 4
    assert pair_iou(sub, obj, sub, far).abs().sum() == 0
    assert pair_iou(sub[:0], obj[:0], sub, obj).shape == (0, 4)
