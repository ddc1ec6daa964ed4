"""Features of boxes, sampled without compiled operations."""

import torch
import torch.nn.functional as F
from torch import Tensor


def roi_crop(feature: Tensor, boxes: Tensor, size: int = 7) -> Tensor:
    """Bilinear samples on a regular grid whose first and last lines are the box's edges.

    Samples outside of the map are zero, also where only the border's half pixel is crossed. Source: TensorFlow's
    ``crop_and_resize`` as TIN calls it, without the max pooling of Faster R-CNN.

    Args:
        feature (Tensor): (C, h, w).
        boxes (Tensor): (N, 4) x1, y1, x2, y2 in pixels of the feature map, i.e. of the image divided by the stride.
        size (int): s, samples along each side. Default: 7.

    Returns:
        Tensor: (N, C, s, s).
    """
    channels, height, width = feature.shape
    if not len(boxes):
        return feature.new_zeros(0, channels, size, size)
    weight = torch.linspace(0, 1, size, device=boxes.device, dtype=boxes.dtype)
    x, y = (boxes[:, i, None] * (1 - weight) + boxes[:, i + 2, None] * weight for i in (0, 1))  # (N, s)
    inside = ((y >= 0) & (y <= height - 1))[:, :, None] & ((x >= 0) & (x <= width - 1))[:, None, :]  # (N, s, s)
    # Of a map of one pixel every position is the middle.
    grid_x, grid_y = (2 * value / max(extent - 1, 1) - 1 for value, extent in ((x, width), (y, height)))
    grid = torch.stack(torch.broadcast_tensors(grid_x[:, None, :], grid_y[:, :, None]), -1)  # (N, s, s, 2)
    samples = F.grid_sample(
        feature[None], grid.view(1, -1, size, 2).to(feature), padding_mode="border", align_corners=True
    )  # (1, C, N * s, s)
    return samples.view(channels, -1, size, size).transpose(0, 1) * inside[:, None]
