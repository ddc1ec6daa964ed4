"""Plain versions of compiled ops against their definitions, through mmcv's own wrappers."""

import itertools

import numpy as np
import pytest
import torch
from mmcv.ops import batched_nms, nms, roi_align
from mmdet.structures.bbox import bbox_overlaps

from hqm_mmdet import plain_ops


def interpolated(plane, y, x):
    """Bilinear value at (y, x) of (H, W) whose pixels have whole coordinates; zero beyond one pixel of the border."""
    height, width = plane.shape
    if y < -1 or y > height or x < -1 or x > width:
        return 0.0
    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    top, left = int(y), int(x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    upper = plane[top, left] * (1 - x + left) + plane[top, right] * (x - left)
    lower = plane[bottom, left] * (1 - x + left) + plane[bottom, right] * (x - left)
    return upper * (1 - y + top) + lower * (y - top)


def defined(plane, box, bins, scale, ratio, aligned):
    """RoIAlign of one plane and box, sample by sample (Mask R-CNN, section 3)."""
    x1, y1, x2, y2 = np.array(box) * scale - (0.5 if aligned else 0)
    height, width = (side if aligned else max(side, 1) for side in (y2 - y1, x2 - x1))
    rows, columns = (ratio or int(np.ceil(side / bins)) for side in (height, width))
    result = np.zeros((bins, bins))
    for i, j in itertools.product(range(bins), repeat=2):
        samples = [
            interpolated(
                plane,
                y1 + (i + (a + 0.5) / rows) * height / bins,
                x1 + (j + (b + 0.5) / columns) * width / bins,
            )
            for a, b in itertools.product(range(rows), range(columns))
        ]
        result[i, j] = np.mean(samples) if samples else 0
    return result


BOXES = [[3, 5, 30, 22], [-9, -4, 7, 50], [10, 10, 10.5, 10.5], [0, 0, 48, 40], [60, 60, 90, 90], [5, 5, 5, 20]]


@pytest.mark.parametrize("ratio", (0, 2))
@pytest.mark.parametrize("aligned", (True, False))
def test_roi_align_is_what_it_is_defined_to_be(ratio, aligned):
    maps = torch.rand(2, 3, 10, 12, generator=torch.Generator().manual_seed(0))
    rois = torch.tensor([[i % 2, *box] for i, box in enumerate(BOXES)], dtype=torch.float)
    pooled = roi_align(maps, rois, (3, 3), 0.25, ratio, "avg", aligned)
    for row, box in enumerate(BOXES):
        expected = [defined(plane.numpy(), box, 3, 0.25, ratio, aligned) for plane in maps[row % 2]]
        np.testing.assert_allclose(pooled[row], expected, atol=1e-5)


def test_gradient_of_roi_align():
    maps = torch.rand(1, 2, 6, 7, dtype=torch.double, requires_grad=True)
    rois = torch.tensor([[0, 1.0, 2, 20, 18], [0, 0, 0, 5, 9]], dtype=torch.double)
    assert torch.autograd.gradcheck(lambda each: roi_align(each, rois, (2, 2), 0.25, 0, "avg", True), maps)


def test_nms_keeps_what_no_better_kept_box_covers():
    generator = torch.Generator().manual_seed(1)
    low = torch.rand(200, 2, generator=generator) * 50
    boxes = torch.cat([low, low + 5 + 30 * torch.rand(200, 2, generator=generator)], 1)
    scores = torch.rand(200, generator=generator)
    _, kept = nms(boxes, scores, 0.4)
    expected = []
    for row in scores.argsort(descending=True).tolist():
        if not expected or bbox_overlaps(boxes[[row]], boxes[expected]).max() <= 0.4:
            expected.append(row)
    assert kept.tolist() == expected
    _, by_class = batched_nms(boxes, scores, torch.arange(200), dict(type="nms", iou_threshold=0.4))
    assert len(by_class) == 200
    assert plain_ops.nms(boxes[:0], scores[:0], 0.5).shape == (0,)
    flat = torch.zeros(3, 4)  # without area nothing overlaps
    assert len(plain_ops.nms(flat, torch.ones(3), 0.5)) == 3


def test_deformable_attention_and_its_gradients():
    shapes = torch.tensor([[4, 5], [2, 3]])
    value, where = torch.rand(2, 26, 4, 3, dtype=torch.double), torch.rand(2, 7, 4, 2, 3, 2, dtype=torch.double)
    weights = torch.rand(2, 7, 4, 2, 3, dtype=torch.double)
    inputs = [tensor.requires_grad_() for tensor in (value, where, weights)]
    output = plain_ops.ms_deform_attn_forward(value, shapes, None, where, weights, 64)
    assert output.shape == (2, 7, 12)
    wanted = torch.autograd.grad(output, inputs, torch.ones_like(output))
    found = [torch.empty_like(tensor) for tensor in inputs]
    plain_ops.ms_deform_attn_backward(value, shapes, None, where, weights, torch.ones_like(output), *found, 64)
    for ours, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_maximum_pooling_needs_compiled_ops():
    with pytest.raises(NotImplementedError, match="install `mmcv`"):
        plain_ops.roi_align_forward(*[torch.zeros(0, 5)] * 5, 7, 7, 1.0, 0, 0, True)
