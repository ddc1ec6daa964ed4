#!/usr/bin/env python
"""How far ground-truth box shifting really shifts: the distribution of IoUs, ours and the released code's.

Boxes are random ones, four special kinds, or, with --ann-file, those of an annotation file. Prints a Markdown table.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / "hqm_mmdet").is_dir():  # a checkout runs its own package, installed or not
    sys.path.insert(0, str(ROOT))

import torch
from torch import Tensor

from hqm_mmdet.datasets.annotations import read_annotations
from hqm_mmdet.models.query_mining import IoUBoxShift, ReleasedBoxShift
from hqm_mmdet.models.query_mining.box_shift import aligned_iou
from hqm_mmdet.structures import cxcywh_to_xyxy, xyxy_to_cxcywh
from hqm_mmdet.utils.launch import run_tool
from hqm_mmdet_cli.errors import UsageError

IMAGE = torch.tensor([640.0, 480.0, 640.0, 480.0])  # what the released code's clipping needs; for random boxes
COLUMNS = ("boxes", "in range", "unshifted", "IoU p5", "IoU p50", "IoU p95", "at border, of shifted")


def random_boxes(count: int) -> Tensor:
    """(count, 4) cxcywh inside the image, sides 0.02 to 0.82 of it."""
    size = torch.rand(count, 2) * 0.8 + 0.02
    return torch.cat([size / 2 + torch.rand(count, 2) * (1 - size), size], 1)


def at_the_border(count: int) -> Tensor:
    """Boxes that touch the image's left side."""
    boxes = random_boxes(count)
    boxes[:, 0] = boxes[:, 2] / 2
    return boxes


def tiny(count: int) -> Tensor:
    """Boxes of 4 x 4 pixels in 640 x 480."""
    return torch.cat([torch.rand(count, 2) * 0.9 + 0.05, torch.tensor([[4 / 640, 4 / 480]]).expand(count, 2)], 1)


def whole_image(count: int) -> Tensor:
    """Boxes as large as the image."""
    return torch.tensor([[0.5, 0.5, 1.0, 1.0]]).repeat(count, 1)


KINDS: dict[str, Callable[[int], Tensor]] = {
    "random": random_boxes,
    "at the border": at_the_border,
    "4 x 4 pixels": tiny,
    "whole image": whole_image,
}


def annotated_boxes(path: Path, count: int) -> Tensor:
    """Subject and object boxes of an annotation file's first pairs, cxcywh relative to the furthest corner of any box
    of the image (the file holds no image sizes).

    Raises:
        UsageError: there is none.
    """
    boxes = []
    for entry in read_annotations(path):
        corners = torch.tensor([a["bbox"] for a in entry["annotations"]], dtype=torch.float).reshape(-1, 4)
        used = sorted({h[key] for h in entry["hoi_annotation"] for key in ("subject_id", "object_id") if h[key] >= 0})
        if used:
            boxes.append(xyxy_to_cxcywh(corners[used] / corners[:, 2:].amax(0).clamp(min=1).repeat(2)))
        if sum(map(len, boxes)) >= count:
            break
    boxes = torch.cat(boxes) if boxes else torch.zeros(0, 4)
    boxes = boxes[(boxes[:, 2:] > 0).all(1)][:count]
    if not len(boxes):
        raise UsageError(f"{path} has no pair with boxes.")
    return boxes


def statistics(boxes: Tensor, shift: Callable[[Tensor], Tensor], iou_range: tuple[float, float]) -> list[str]:
    """Cells of a row. ``shift`` takes all boxes (n, 4)."""
    shifted = shift(boxes)
    iou = aligned_iou(boxes, shifted)
    moved = (shifted != boxes).any(1)
    inside = (iou >= iou_range[0] - 1e-4) & (iou <= iou_range[1] + 1e-4) & moved
    corners = cxcywh_to_xyxy(shifted[moved])
    border = ((corners < 2e-3) | (corners > 1 - 2e-3)).any(1)
    quantiles = [f"{iou.quantile(q):.3f}" for q in (0.05, 0.5, 0.95)]
    share = [f"{100 * values.double().mean():.1f} %" for values in (inside, ~moved)]
    return [str(len(boxes)), *share, *quantiles, f"{100 * border.double().mean():.0f} %" if moved.any() else "-"]


def released(pairs: int, iou_range: tuple[float, float]) -> Callable[[Tensor], Tensor]:
    """The released way, which accepts or rejects a whole batch, here of ``pairs`` subjects."""
    shift = ReleasedBoxShift(iou_range)

    def run(boxes):
        whole = len(boxes) // pairs * pairs
        batches = [shift.shift(b[None], IMAGE[None])[0] for b in boxes[:whole].split(pairs)]
        return torch.cat([*batches, boxes[whole:]])

    return run


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ann-file", type=Path, help="take the boxes of this annotation file's pairs")
    parser.add_argument("--count", type=int, default=20000, help="boxes per row")
    parser.add_argument("--iou-range", type=float, nargs=2, default=(0.4, 0.6), metavar=("LOW", "HIGH"))
    parser.add_argument("--pairs", type=int, nargs="+", default=[1, 4, 10, 20, 40], help="per batch, for the release")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--debug", action="store_true", help="show the traceback of every error")
    args = parser.parse_args()
    if not 0 < args.iou_range[0] <= args.iou_range[1] <= 1:
        parser.error("--iou-range: 0 < LOW <= HIGH <= 1 is needed")
    return run_tool(print_table, args)


def print_table(args: argparse.Namespace) -> None:
    """All rows."""
    torch.manual_seed(args.seed)
    iou_range = tuple(args.iou_range)
    if args.ann_file:
        sources = {args.ann_file.name: annotated_boxes(args.ann_file, args.count)}
    else:
        sources = {kind: make(args.count) for kind, make in KINDS.items()}
    print(f"| boxes | way | {' | '.join(COLUMNS)} |")
    print("| --- " * (len(COLUMNS) + 2) + "|")
    for kind, boxes in sources.items():
        ways = {"IoUBoxShift": IoUBoxShift(iou_range).shift}
        ways |= {f"released, {pairs} pairs per batch": released(pairs, iou_range) for pairs in args.pairs}
        for way, shift in ways.items():
            few = boxes if way == "IoUBoxShift" else boxes[: max(2000, len(boxes) // 10)]
            print(f"| {kind} | {way} | {' | '.join(statistics(few, shift, iou_range))} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
