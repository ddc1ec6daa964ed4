"""A few of mmcv's compiled ops in plain PyTorch, for an mmcv without any: enough to run mmdet's RoI, dense and
deformable detectors.

``compat`` puts them where mmcv's own wrappers look, so each has the arguments of the compiled op of its name. Sources:
the operations' definitions in Mask R-CNN (RoIAlign), Deformable DETR (attention), and mmcv's documented conventions.
"""

import numpy as np
import torch
from torch import Tensor


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int = 0) -> Tensor:
    """Greedy suppression: (K,) rows kept, in descending score.

    Args:
        boxes (Tensor): (N, 4) x1, y1, x2, y2.
        scores (Tensor): (N,).
        iou_threshold (float): an overlap must exceed it to suppress.
        offset (int): 1 where coordinates are inclusive pixel indices. Default: 0.
    """
    order = scores.sort(descending=True, stable=True).indices
    corners = boxes[order].detach().cpu().numpy().astype(np.float64)
    low, high = corners[:, :2], corners[:, 2:] + offset
    area = (high - low).prod(1)
    alive, kept = np.ones(len(corners), dtype=bool), []
    for row in range(len(corners)):
        if not alive[row]:
            continue
        kept.append(row)
        sides = np.minimum(high[row], high[row + 1 :]) - np.maximum(low[row], low[row + 1 :])
        both = sides.clip(min=0).prod(1)
        # Multiplied out, so that boxes without area need no care.
        alive[row + 1 :] &= both <= iou_threshold * (area[row] + area[row + 1 :] - both)
    return order[torch.tensor(kept, dtype=torch.long, device=order.device)]


def roi_align_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """RoIAlign with average pooling of ``input`` (B, C, H, W), into ``output`` (N, C, aligned height, aligned width).

    Args:
        rois (Tensor): (N, 5) image of the batch, x1, y1, x2, y2 in pixels of the image.
        argmax_y, argmax_x (Tensor): not used.
        spatial_scale (float): size of the map relative to the image.
        sampling_ratio (int): samples per bin and side; 0: as many as a bin has map pixels.
        pool_mode (int): 1, average.
        aligned (bool): pixel centres lie at half numbers, and boxes may be smaller than a pixel.

    Raises:
        NotImplementedError: maximum pooling.
    """
    _only_average(pool_mode)
    shape = (aligned_height, aligned_width)
    for row, image, rows, columns, area in _regions(input, rois, shape, spatial_scale, sampling_ratio, aligned):
        part = input[image, :, area[0] : area[1], area[2] : area[3]]
        output[row] = rows.to(part) @ part @ columns.to(part).T


def roi_align_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Adds the gradient of :func:`roi_align_forward` to ``grad_input`` (B, C, H, W); arguments as there."""
    _only_average(pool_mode)
    shape = (aligned_height, aligned_width)
    for row, image, rows, columns, area in _regions(grad_input, rois, shape, spatial_scale, sampling_ratio, aligned):
        part = rows.to(grad_output).T @ grad_output[row] @ columns.to(grad_output)
        grad_input[image, :, area[0] : area[1], area[2] : area[3]] += part


def ms_deform_attn_forward(
    value: Tensor,
    value_spatial_shapes: Tensor,
    value_level_start_index: Tensor,
    sampling_locations: Tensor,
    attention_weights: Tensor,
    im2col_step: int,
) -> Tensor:
    """Multi-scale deformable attention, by mmcv's own PyTorch version; mmcv takes it by itself on CPUs only."""
    from mmcv.ops.multi_scale_deform_attn import multi_scale_deformable_attn_pytorch  # mmcv.ops asks for us first

    return multi_scale_deformable_attn_pytorch(value, value_spatial_shapes, sampling_locations, attention_weights)


def ms_deform_attn_backward(
    value: Tensor,
    value_spatial_shapes: Tensor,
    value_level_start_index: Tensor,
    sampling_locations: Tensor,
    attention_weights: Tensor,
    grad_output: Tensor,
    grad_value: Tensor,
    grad_sampling_loc: Tensor,
    grad_attn_weight: Tensor,
    im2col_step: int,
) -> None:
    """Gradients of :func:`ms_deform_attn_forward`, into the three tensors; computed forwards once more."""
    inputs = [tensor.detach().requires_grad_() for tensor in (value, sampling_locations, attention_weights)]
    with torch.enable_grad():
        output = ms_deform_attn_forward(inputs[0], value_spatial_shapes, value_level_start_index, *inputs[1:], 0)
        gradients = torch.autograd.grad(output, inputs, grad_output)
    for target, gradient in zip((grad_value, grad_sampling_loc, grad_attn_weight), gradients, strict=True):
        target.copy_(gradient)


PLAIN_OPS = dict(
    nms=nms,
    roi_align_forward=roi_align_forward,
    roi_align_backward=roi_align_backward,
    ms_deform_attn_forward=ms_deform_attn_forward,
    ms_deform_attn_backward=ms_deform_attn_backward,
)


def _only_average(pool_mode: int) -> None:
    if pool_mode != 1:
        raise NotImplementedError(
            "RoIAlign with maximum pooling needs mmcv's compiled ops: install `mmcv` with ops for your torch and CUDA "
            "version, or set pool_mode='avg'."
        )


def _regions(maps: Tensor, rois: Tensor, shape: tuple[int, int], scale: float, sampling_ratio: int, aligned: bool):
    """Per box: its row, its image, the weights (bins, pixels) along y and along x, and the part of the map they read.

    A bilinear sample is a product of a weight along y and one along x, and so is the mean over a grid of samples: two
    small matrices say all.
    """
    height, width = maps.shape[2:]
    boxes = rois[:, 1:].double() * scale - (0.5 if aligned else 0)
    along_y, along_x = (
        [_weights(low, high, bins, extent, sampling_ratio, aligned) for low, high in boxes[:, [i, i + 2]].tolist()]
        for i, bins, extent in ((1, shape[0], height), (0, shape[1], width))
    )
    for row, image in enumerate(rois[:, 0].long().tolist()):
        (rows, *part_y), (columns, *part_x) = along_y[row], along_x[row]
        yield row, image, rows, columns, (*part_y, *part_x)


def _weights(low: float, high: float, bins: int, extent: int, ratio: int, aligned: bool) -> tuple[Tensor, int, int]:
    """(bins, end - start) weights of the pixels ``start`` to ``end`` of a side of ``extent`` pixels."""
    side = high - low if aligned else max(high - low, 1.0)
    count = ratio if ratio > 0 else int(np.ceil(side / bins))
    if count < 1:  # without extent there is nothing to sample: zeros, as compiled
        return torch.zeros(bins, 1), 0, 1
    samples = low + (np.arange(bins * count) + 0.5) * side / (bins * count)
    inside = (samples >= -1) & (samples <= extent)  # beyond, a sample is zero
    samples = samples.clip(0, extent - 1)
    first = np.floor(samples).astype(int)
    second = np.minimum(first + 1, extent - 1)
    start, end = first.min(), second.max() + 1
    weights, rows = np.zeros((bins, end - start)), np.arange(bins * count) // count
    share = samples - first
    np.add.at(weights, (rows, first - start), inside * (1 - share) / count)
    np.add.at(weights, (rows, second - start), inside * share / count)
    return torch.from_numpy(weights), int(start), int(end)
