#!/usr/bin/env python
"""See what mining does to one training image: shifted boxes with their IoU, attention with and without the mask.

Writes OUT/shift.png, and OUT/attention_pair<k>.png with a column per decoder layer (head average; of CDN first the pair
decoder's layers, then the interaction decoder's): the learnable pass above, the masked pass below, green dots where
heads are masked.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / "hqm_mmdet").is_dir():  # a checkout runs its own package, installed or not
    sys.path.insert(0, str(ROOT))

import numpy as np
import torch
from mmengine.config import DictAction
from mmengine.dataset import pseudo_collate
from PIL import Image

from hqm_mmdet.apis import init_model
from hqm_mmdet.configuring import merge_options
from hqm_mmdet.models.layers import AttentionRecorder
from hqm_mmdet.models.query_mining import AMMQueryGenerator, GBSQueryGenerator, LearnablePass
from hqm_mmdet.models.query_mining.box_shift import aligned_iou
from hqm_mmdet.registry import DATASETS
from hqm_mmdet.structures import cxcywh_to_xyxy
from hqm_mmdet.utils.launch import read_config_file, run_tool
from hqm_mmdet.visualization.drawing import MIN_SIDE, captioned
from hqm_mmdet.visualization.mining_view import draw_attention, draw_shift, grid
from hqm_mmdet_cli.errors import UsageError


class WeightRecorder(AttentionRecorder):
    """Keeps each layer's weights beside the projected queries, which AMM needs."""

    def __init__(self):
        super().__init__()
        self.weights = []

    def __call__(self, attention, queries, keys, mask):
        """Record (B, N, S) head averages."""
        super().__call__(attention, queries, keys, mask)
        self.weights.append(attention.weights(queries, keys, mask).mean(1))


class WatchedRule:
    """Passes a mask rule through and keeps each layer's weights and dropped positions."""

    def __init__(self, rule):
        self.rule, self.renormalise = rule, rule.renormalise
        self.weights, self.dropped = [], []

    def __call__(self, attention, queries, keys, mask):
        """Record (B, N, S) head averages."""
        answer = self.rule(attention, queries, keys, mask)
        drop = answer.isneginf() if answer.is_floating_point() else answer
        keep = ~drop if mask is None else mask & ~drop
        self.weights.append(attention.weights(queries, keys, keep).mean(1))
        self.dropped.append(drop.float().mean(1))
        return answer


def miner_of(model, kind):
    """The model's miner of a class, or one with the paper's settings."""
    miners = [] if model.query_mining is None else model.query_mining.miners.values()
    found = next((miner for miner in miners if isinstance(miner, kind)), None)
    if found is None:
        found = kind(embed_dims=model.embed_dims) if kind is GBSQueryGenerator else kind()
    return found


def learnable_pass(model, inputs, samples):
    """The learnable queries' pass, watched."""
    memory = model.encode(inputs, samples)
    queries = model.learnable_queries(memory)
    queries.recorder = WeightRecorder()
    preds = model.bbox_head(model.decode(queries, memory))
    targets = model.bbox_head.targets(samples)
    return LearnablePass(queries, memory, targets, model.bbox_head.assign(preds, targets))


def shift_picture(model, image, targets):
    """All pairs' boxes, true and shifted."""
    shift = miner_of(model, GBSQueryGenerator).shift or (lambda *boxes_and_sizes: boxes_and_sizes[:2])
    true = torch.cat([targets.sub_boxes, targets.obj_boxes], 1)
    moved = torch.cat(shift(targets.sub_boxes, targets.obj_boxes, targets.sizes), 1)
    keep = (true != 0).any(-1)[0]
    scale = torch.tensor([image.shape[1], image.shape[0]] * 2)
    boxes = [(cxcywh_to_xyxy(b) * scale)[0][keep].tolist() for b in (true, moved)]
    return draw_shift(image, *boxes, aligned_iou(true, moved)[0][keep].tolist())


def attention_picture(image, learnable, hard, pair):
    """Rows: learnable pass, masked pass. Columns: decoder layers."""
    shape = learnable.memory.spatial_shape
    query = int(learnable.matched_query()[0, pair])
    row = query if hard.source is None else pair  # copies of all queries, or of the matched ones in the order of pairs
    rows = [[], []]
    for layer, (free, masked) in enumerate(zip(learnable.queries.recorder.weights, hard.rule.weights, strict=True)):
        dropped = hard.rule.dropped[layer][0, row].view(shape).numpy()
        above = draw_attention(image, free[0, query].view(shape).numpy())
        below = draw_attention(image, masked[0, row].view(shape).numpy(), dropped)
        rows[0].append(captioned(above, f"layer {layer}: learnable query {query}"))
        rows[1].append(captioned(below, f"layer {layer}: masked"))
    return grid(rows)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("--checkpoint", help="default: random weights")
    parser.add_argument("--index", type=int, default=0, help="training image")
    parser.add_argument("--out", type=Path, default=Path("work_dirs/mining_view"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cfg-options", nargs="+", action=DictAction, default={})
    parser.add_argument("--debug", action="store_true", help="show the traceback of every error")
    return run_tool(view, parser.parse_args())


def view(args: argparse.Namespace) -> int:
    """Write the pictures."""
    cfg = read_config_file(args.config)
    merge_options(cfg, args.cfg_options)
    torch.manual_seed(args.seed)
    np.random.seed(args.seed)
    model = init_model(cfg, args.checkpoint)
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    if not 0 <= args.index < len(dataset):
        raise UsageError(f"--index {args.index}: the training images have numbers from 0 to {len(dataset) - 1}.")
    data = model.data_preprocessor(pseudo_collate([dataset[args.index]]))
    inputs, samples = data["inputs"], data["data_samples"]
    mean, std = (getattr(model.data_preprocessor, name).cpu() for name in ("mean", "std"))
    image = (inputs[0] * std + mean).clamp(0, 255).permute(1, 2, 0).byte().numpy()
    factor = max(1.0, MIN_SIDE / min(image.shape[:2]))
    image = np.asarray(Image.fromarray(image).resize((round(image.shape[1] * factor), round(image.shape[0] * factor))))
    args.out.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        learnable = learnable_pass(model, inputs, samples)
        pairs = learnable.targets.counts[0]
        if not pairs:
            print(f"{samples[0].img_path} has no pair, so there is nothing to mine; choose another --index.")
            return 2
        hard = miner_of(model, AMMQueryGenerator)(learnable)
        hard.rule = WatchedRule(hard.rule)
        model.decode(hard, learnable.memory)
        written = [args.out / "shift.png"]
        Image.fromarray(shift_picture(model, image, learnable.targets)).save(written[0])
        for pair in range(pairs):
            written.append(args.out / f"attention_pair{pair}.png")
            Image.fromarray(attention_picture(image, learnable, hard, pair)).save(written[-1])
    print("\n".join(map(str, written)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
