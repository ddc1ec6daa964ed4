"""Shifted boxes: every box gets an IoU of the wanted range, whatever its size and place."""

import math

import pytest
import torch

from hqm_mmdet.models.query_mining import IoUBoxShift, ReleasedBoxShift
from hqm_mmdet.models.query_mining.box_shift import aligned_iou
from hqm_mmdet.structures import cxcywh_to_xyxy, xyxy_to_cxcywh

SIZES = torch.tensor([[640.0, 480.0, 640.0, 480.0]])


def boxes_of(kind, count=4000):
    if kind == "border":
        low = torch.randint(2, (count, 2)) * 0.5
        return xyxy_to_cxcywh(torch.cat([low, low + 0.5], 1))
    if kind == "whole image":
        return torch.tensor([0.5, 0.5, 1.0, 1.0]).expand(count, 4)
    if kind == "one pixel":
        return torch.cat([torch.rand(count, 2) * 0.9 + 0.05, torch.full((count, 2), 1 / 640)], 1)
    if kind == "thin":
        return torch.cat(
            [
                torch.rand(count, 1) * 0.9 + 0.05,
                torch.full((count, 1), 0.5),
                torch.tensor([[1e-3, 1.0]]).expand(count, 2),
            ],
            1,
        )
    size = torch.rand(count, 2) * 0.8 + 0.02
    centre = size / 2 + torch.rand(count, 2) * (1 - size)
    return torch.cat([centre, size], 1)


@pytest.mark.parametrize("kind", ("random", "border", "whole image", "one pixel", "thin"))
@pytest.mark.parametrize("scale_range", ((1.0, 1.0), (0.6, 1.36)))
@pytest.mark.parametrize("iou_range", ((0.4, 0.6), (0.2, 0.3), (0.8, 0.9)))
def test_every_box_gets_its_iou_inside_the_image(kind, scale_range, iou_range):
    torch.manual_seed(0)
    boxes = boxes_of(kind)
    shifted = IoUBoxShift(iou_range, scale_range).shift(boxes)
    iou = aligned_iou(boxes, shifted)
    # float32 coordinates resolve a box of one pixel in 640 to about 1e-4 of its side
    tolerance = 1e-3 if kind in ("one pixel", "thin") else 1e-5
    assert iou.min() >= iou_range[0] - tolerance
    assert iou.max() <= iou_range[1] + tolerance
    corners = cxcywh_to_xyxy(shifted)
    assert corners.min() >= -1e-6 and corners.max() <= 1 + 1e-6


def test_ious_fill_the_range_evenly():
    torch.manual_seed(0)
    boxes = boxes_of("random", 20000)
    iou = aligned_iou(boxes, IoUBoxShift((0.4, 0.6)).shift(boxes))
    share = torch.histc(iou.float(), 4, 0.4, 0.6) / len(iou)
    assert (share - 0.25).abs().max() < 0.02


def test_all_directions_occur():
    torch.manual_seed(0)
    boxes = torch.tensor([0.5, 0.5, 0.2, 0.2]).expand(4000, 4)
    moved = IoUBoxShift().shift(boxes)[:, :2] - 0.5
    quadrant = (moved[:, 0] > 0).long() * 2 + (moved[:, 1] > 0).long()
    assert torch.bincount(quadrant, minlength=4).min() > 900


def test_absent_objects_and_padding_stay_zero_while_subjects_shift():
    subjects = torch.tensor([[[0.5, 0.5, 0.3, 0.3], [0.0, 0.0, 0.0, 0.0]]])
    objects = torch.zeros(1, 2, 4)
    sub, obj = IoUBoxShift()(subjects, objects, SIZES)
    assert (obj == 0).all() and (sub[0, 1] == 0).all()
    assert 0.4 - 1e-5 <= aligned_iou(subjects[0, 0], sub[0, 0]) <= 0.6 + 1e-5


def test_seed_decides():
    boxes = boxes_of("random", 50)
    torch.manual_seed(3)
    first = IoUBoxShift().shift(boxes)
    torch.manual_seed(3)
    assert torch.equal(first, IoUBoxShift().shift(boxes))
    assert not torch.equal(first, IoUBoxShift().shift(boxes))


def test_no_boxes():
    empty = torch.zeros(2, 0, 4)
    sub, obj = IoUBoxShift()(empty, empty, SIZES.expand(2, 4))
    assert sub.shape == obj.shape == (2, 0, 4)


@pytest.mark.parametrize("options", (dict(iou_range=(0.6, 0.4)), dict(iou_range=(0, 0.5)), dict(scale_range=(0, 1))))
def test_impossible_ranges_are_refused(options):
    with pytest.raises(ValueError, match="range"):
        IoUBoxShift(**options)


def test_released_shift_leaves_pairs_without_object_alone():
    torch.manual_seed(0)
    subjects = torch.tensor([[[0.5, 0.5, 0.3, 0.3], [0.4, 0.4, 0.2, 0.3]]])
    objects = torch.tensor([[[0.0, 0.0, 0.0, 0.0], [0.6, 0.6, 0.3, 0.2]]])
    sub, obj = ReleasedBoxShift()(subjects, objects, SIZES)
    assert torch.equal(sub[0, 0], subjects[0, 0]) and torch.equal(obj[0, 0], objects[0, 0])
    assert 0.4 < aligned_iou(subjects[0, 1], sub[0, 1]) < 0.6


def bisected(box, wanted, direction, log_scale):
    """The same place found the plain way: one box, halvings of its path, corners by hand."""
    cx, cy, w, h = box
    near, far = 0.0, 1.0
    for _ in range(60):
        t = (near + far) / 2
        x, y, scale = cx + direction[0] * w * t, cy + direction[1] * h * t, math.exp(log_scale * t)
        moved = [
            max(x - w * scale / 2, 0),
            max(y - h * scale / 2, 0),
            min(x + w * scale / 2, 1),
            min(y + h * scale / 2, 1),
        ]
        inner_w = min(moved[2], cx + w / 2) - max(moved[0], cx - w / 2)
        inner_h = min(moved[3], cy + h / 2) - max(moved[1], cy - h / 2)
        both = max(inner_w, 0) * max(inner_h, 0)
        iou = both / (w * h + (moved[2] - moved[0]) * (moved[3] - moved[1]) - both)
        near, far = (t, far) if iou > wanted else (near, t)
    return [(moved[0] + moved[2]) / 2, (moved[1] + moved[3]) / 2, moved[2] - moved[0], moved[3] - moved[1]]


@pytest.mark.parametrize("kind", ("random", "border", "whole image", "one pixel"))
def test_the_place_is_the_one_that_bisection_finds(kind):
    torch.manual_seed(1)
    boxes = boxes_of(kind, 50)
    wanted, log_scale = torch.rand(2, 50, dtype=torch.float64)
    wanted, log_scale = 0.2 + 0.6 * wanted, log_scale - 0.5
    angle = torch.rand(50, dtype=torch.float64) * 2 * torch.pi
    direction = torch.stack([angle.cos(), angle.sin()], -1)
    direction = direction / direction.abs().amax(-1, keepdim=True)
    found = IoUBoxShift().find(boxes, wanted, direction, log_scale)
    rows = zip(boxes.tolist(), wanted.tolist(), direction.tolist(), log_scale.tolist(), strict=True)
    expected = [bisected(*row) for row in rows]
    torch.testing.assert_close(found, torch.tensor(expected), rtol=0, atol=2e-7)


def test_subject_and_object_go_their_own_ways():
    torch.manual_seed(0)
    boxes = boxes_of("random", 30)[None]
    sub, obj = IoUBoxShift()(boxes, boxes, SIZES)
    assert ((sub - obj).abs().amax(-1) > 1e-3).float().mean() > 0.9
