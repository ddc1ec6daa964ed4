"""Where the two boxes of a pair lie, and how the person stands, as small maps."""

import torch
from torch import Tensor

from hqm_mmdet.structures import NUM_KEYPOINTS

from .skeleton import skeleton_pixels

MAP_SIZE = 64
NO_POSE_VALUE = 0.05


def pair_maps(sub_boxes: Tensor, obj_boxes: Tensor, keypoints: Tensor | None = None) -> Tensor:
    """Maps of P pairs, all at once.

    The union of both boxes is scaled so that its longer side fills the map; along the other side it is centred.
    Channel 0 is one inside of the subject's box, channel 1 inside of the object's, channel 2 holds the subject's
    skeleton, or 0.05 inside of its box where the pose is not known. Computed in double precision, since rounding
    decides about pixels.

    Source: TIN (CVPR 2019), ``Get_next_sp_with_pose`` of the official code, whose pixels these are.

    Args:
        sub_boxes, obj_boxes (Tensor): (P, 4) x1, y1, x2, y2 in pixels of the image.
        keypoints (Tensor, optional): (P, 17, 2 or more) x and y in pixels of the image, COCO's order; what follows
            (scores) is ignored. A pose with a NaN in x or y is unknown. Default None: all are.

    Returns:
        Tensor: (P, 3, 64, 64) float32.

    Raises:
        ValueError: shapes do not fit.
    """
    _check(sub_boxes, obj_boxes, keypoints)
    image_boxes = sub_boxes.double()
    boxes = boxes_in_map(image_boxes, obj_boxes.double())
    maps = sub_boxes.new_empty(len(sub_boxes), 3, MAP_SIZE, MAP_SIZE, dtype=torch.float32)
    (sub_rows, sub_columns), (obj_rows, obj_columns) = map(_inside, boxes)
    torch.mul(sub_rows, sub_columns, out=maps[:, 0])
    torch.mul(obj_rows, obj_columns, out=maps[:, 1])
    if keypoints is None:
        torch.mul(maps[:, 0], NO_POSE_VALUE, out=maps[:, 2])
        return maps
    xy = keypoints[..., :2].double()
    known = torch.isfinite(xy).all(-1).all(-1)
    torch.mul(sub_rows * torch.where(known, 0.0, NO_POSE_VALUE)[:, None, None], sub_columns, out=maps[:, 2])
    placed = _keypoints_in_map(xy[known], image_boxes[known], boxes[0][known])
    pair, pixel, value = skeleton_pixels(placed, MAP_SIZE)
    channel = (3 * known.nonzero()[:, 0] + 2) * MAP_SIZE**2  # where each skeleton's channel begins
    maps.view(-1).scatter_reduce_(0, channel.index_select(0, pair) + pixel, value, "amax")
    return maps


def boxes_in_map(sub_boxes: Tensor, obj_boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Both boxes in pixels of the map, whole numbers; both edges are inside.

    Args:
        sub_boxes, obj_boxes (Tensor): (P, 4) float64 x1, y1, x2, y2 in pixels of the image.

    Returns:
        tuple[Tensor, Tensor]: (P, 4) float64 each.
    """
    corner = torch.minimum(sub_boxes[:, :2], obj_boxes[:, :2])
    sides = torch.maximum(sub_boxes[:, 2:], obj_boxes[:, 2:]) - corner + 1  # (P, 2) width, height
    boxes = torch.stack([sub_boxes, obj_boxes]) - corner.repeat(1, 2)  # (2, P, 4)
    longer = sides.amax(1, keepdim=True)
    scale = MAP_SIZE / longer
    near = boxes[..., :2] * scale
    far = (sides * scale - 1) - scale * (sides - 1 - boxes[..., 2:])
    # Along the longer side the box that reaches further ends at the last pixel, whatever rounding did; on a tie it is
    # the object's, and the subject's stays as computed.
    is_long = torch.stack([sides[:, 0] >= sides[:, 1], sides[:, 0] < sides[:, 1]], 1)  # (P, 2)
    sub_further = far[0] > far[1]
    reaches = torch.stack([sub_further, ~sub_further]) & is_long
    far = torch.where(reaches, MAP_SIZE - 1.0, far)
    shift = torch.where(is_long, 0.0, MAP_SIZE / 2 - (far.amax(0) + 1) / 2)
    sub, obj = torch.cat([near + shift, far + shift], -1).round()  # half to even
    return sub, obj


def _keypoints_in_map(keypoints: Tensor, boxes: Tensor, boxes_in_map: Tensor) -> Tensor:
    """(P, 17, 2) keypoints of the image as pixels of the map, (P, 17, 2) long."""
    corner, size = boxes[:, None, :2], (boxes[:, 2:] - boxes[:, :2] + 1)[:, None]
    map_corner, map_size = boxes_in_map[:, None, :2], (boxes_in_map[:, 2:] - boxes_in_map[:, :2] + 1)[:, None]
    fraction = (keypoints - corner) / size
    placed = map_corner + fraction * map_size
    rounded = placed.sign() * (placed.abs() + 0.5).floor()  # half away from zero, as Python 2 rounds
    return rounded.clamp(max=MAP_SIZE - 1).long()


def _inside(boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Rows (P, 64, 1) and columns (P, 1, 64) of the map that (P, 4) boxes in its pixels cover, as 0 or 1."""
    pixel = torch.arange(MAP_SIZE, device=boxes.device)
    columns, rows = ((pixel >= boxes[:, axis, None]) & (pixel <= boxes[:, axis + 2, None]) for axis in (0, 1))
    return rows[:, :, None].float(), columns[:, None, :].float()


def _check(sub_boxes: Tensor, obj_boxes: Tensor, keypoints: Tensor | None) -> None:
    if sub_boxes.shape != obj_boxes.shape or sub_boxes.dim() != 2 or sub_boxes.shape[1] != 4:
        raise ValueError(f"Boxes of P pairs must be (P, 4), got {tuple(sub_boxes.shape)}, {tuple(obj_boxes.shape)}.")
    if keypoints is not None and (keypoints.dim() != 3 or keypoints.shape[:2] != (len(sub_boxes), NUM_KEYPOINTS)):
        raise ValueError(
            f"Keypoints of {len(sub_boxes)} pairs must be ({len(sub_boxes)}, {NUM_KEYPOINTS}, 2 or 3), got "
            f"{tuple(keypoints.shape)}."
        )
