"""Rows of a verb classifier out of crops."""

import torch
import torch.nn.functional as F

from hqm_mmdet.models.clip.verb_arithmetic import Crop, VerbSums, crops_of_pairs
from hqm_mmdet.structures import load_hoi_classes
from tests.models.tiny_text import HOIS

CLASSES = load_hoi_classes(HOIS)  # hold/kick ball, hold cup, ride/feed horse, hold person, wave


def test_crops_of_an_image():
    boxes, labels = [[10, 20, 30, 40], [5, 30, 50, 35], [0, 0, 5, 5]], [0, 1, 0]
    crops = crops_of_pairs(boxes, labels, [(0, 1, [0, 1, 2]), (2, -1, [4])], CLASSES)
    union, alone = (5, 20, 50, 40), (0, 0, 5, 5)
    assert crops == [
        Crop(union, "hoi", 0),
        Crop(union, "hoi", 1),  # riding a ball is no class
        Crop((5, 30, 50, 35), "object", 1),
        Crop((10, 20, 30, 40), "object", 0, 0.5),
        Crop(alone, "hoi", 6),
        Crop(alone, "object", 0, 0.5),
    ]
    assert crops_of_pairs([], [], [], CLASSES) == []


def test_rows_are_mean_differences_of_directions():
    torch.manual_seed(0)
    unions, objects = torch.randn(7, 8), torch.randn(4, 8)
    sums = VerbSums.empty(CLASSES, 8)
    for i in (0, 2, 3):
        sums.add([Crop((), "hoi", i)] * 2, unions[i].expand(2, -1) * torch.tensor([[1.0], [5.0]]))
    sums.add([Crop((), "object", i) for i in range(4)], objects)
    rows = sums.rows(CLASSES)
    unions, objects = F.normalize(unions, dim=1), F.normalize(objects, dim=1)
    hold = (unions[0] - objects[1] + unions[2] - objects[2]) / 2
    torch.testing.assert_close(rows[0], F.normalize(hold, dim=0))
    torch.testing.assert_close(rows[2], F.normalize(unions[3] - objects[3], dim=0))
    assert not rows[[1, 3, 4]].any()  # never seen: they add nothing to scores


def test_a_verb_without_object():
    sums = VerbSums.empty(CLASSES, 8)
    union, person = F.normalize(torch.randn(2, 8), dim=1)
    sums.add([Crop((), "hoi", 6), Crop((), "object", 0)], torch.stack([union, person]))
    torch.testing.assert_close(sums.rows(CLASSES)[4], F.normalize(union - person, dim=0))
