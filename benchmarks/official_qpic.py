#!/usr/bin/env python
"""Training and inference of QPIC beside the official code, step by step in one process.

FOLDER is a checkout of https://github.com/hitachi-rd-cv/qpic (Apache-2.0; nothing of it is part of this project), which
needs torchvision. Both start from random weights; images are noise. Ratios are of process CPU time on one thread.
Inference is post-processed, and ours has its batch norms folded, as init_model makes it.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import torch
from mmengine.config import Config
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from page import write_part  # noqa: E402
from step_timing import Batch, interleaved, make_batch, predict_step, train_step  # noqa: E402

from hqm_mmdet.apis import build_model, init_model  # noqa: E402
from hqm_mmdet.errors import UserError  # noqa: E402
from hqm_mmdet.structures import xyxy_to_cxcywh  # noqa: E402
from hqm_mmdet.utils.launch import run_tool  # noqa: E402

CONFIG = ROOT / "configs" / "qpic_hico.py"
# Settings of the official HICO-DET model, and of its parts that are not used here.
SETTINGS = dict(
    hoi=True,
    device="cpu",
    dataset_file="hico",
    backbone="resnet50",
    dilation=False,
    position_embedding="sine",
    enc_layers=6,
    dec_layers=6,
    dim_feedforward=2048,
    hidden_dim=256,
    dropout=0.1,
    nheads=8,
    num_queries=100,
    pre_norm=False,
    masks=False,
    frozen_weights=None,
    lr_backbone=1e-5,
    num_obj_classes=80,
    num_verb_classes=117,
    subject_category_id=0,
    verb_loss_type="focal",
    aux_loss=True,
    set_cost_class=1,
    set_cost_bbox=2.5,
    set_cost_giou=1,
    set_cost_obj_class=1,
    set_cost_verb_class=1,
    bbox_loss_coef=2.5,
    giou_loss_coef=1,
    obj_loss_coef=1,
    verb_loss_coef=1,
    eos_coef=0.1,
)


class OfficialCodeError(UserError, RuntimeError):
    """The official code can't be used."""


def load_official(folder: Path) -> tuple[nn.Module, nn.Module, dict]:
    """Model, criterion and post-processors of the official code.

    Raises:
        OfficialCodeError: no such checkout, or no torchvision.
    """
    if not (folder / "models" / "detr.py").is_file():
        raise OfficialCodeError(f"{folder} is no checkout of https://github.com/hitachi-rd-cv/qpic.")
    try:
        import torchvision
    except ImportError as error:
        raise OfficialCodeError("The official code needs torchvision, which this project does not.") from error
    sys.path.insert(0, str(folder))
    # it takes the third character of 0.10 and later for the whole version
    with mock.patch.object(torchvision, "__version__", "0.9"):
        from models import backbone, detr
    with mock.patch.object(backbone, "is_main_process", lambda: False):  # else it downloads weights
        return detr.build(SimpleNamespace(**SETTINGS))


def official_steps(folder: Path, batch: Batch) -> dict[str, Callable[[], None]]:
    """``train`` and ``predict`` of the official code."""
    model, criterion, postprocessors = load_official(folder)
    inputs, targets = batch[0], [official_target(sample) for sample in batch[1]]
    sizes = torch.tensor([sample.ori_shape for sample in batch[1]])

    def train() -> None:
        model.train()
        model.zero_grad(set_to_none=True)
        losses = criterion(model(list(inputs)), targets)
        sum(
            value * criterion.weight_dict[name] for name, value in losses.items() if name in criterion.weight_dict
        ).backward()

    def predict() -> None:
        model.eval()
        with torch.no_grad():
            postprocessors["hoi"](model(list(inputs)), sizes)

    return dict(train=train, predict=predict)


def official_target(sample) -> dict[str, Tensor]:
    """Annotations as the official criterion wants them."""
    height, width = sample.img_shape
    pairs, scale = sample.gt_pairs, torch.tensor([width, height, width, height])
    return dict(
        obj_labels=pairs.obj_labels,
        verb_labels=pairs.verb_labels,
        sub_boxes=xyxy_to_cxcywh(pairs.sub_bboxes) / scale,
        obj_boxes=xyxy_to_cxcywh(pairs.obj_bboxes) / scale,
    )


def our_steps(batch: Batch) -> dict[str, Callable[[], None]]:
    """``train``, ``predict`` and ``predict bf16`` of this project."""
    cfg = Config.fromfile(CONFIG)
    trained, predicting = build_model(cfg).train(), init_model(cfg)

    def half() -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            predict_step(predicting, batch)

    return {
        "train": lambda: train_step(trained, batch),
        "predict": lambda: predict_step(predicting, batch),
        "predict bf16": half,
    }


def compare(folder: Path, size: tuple[int, int], batch_size: int, pairs: int, repeats: int) -> dict[str, float]:
    """CPU seconds of each step, and ratios."""
    torch.manual_seed(0)
    batch = make_batch(size, batch_size, pairs, Config.fromfile(CONFIG).model.bbox_head)
    ours, official = our_steps(batch), official_steps(folder, batch)
    steps = {f"ours, {name}": step for name, step in ours.items()}
    timed = interleaved(steps | {f"official, {name}": step for name, step in official.items()}, repeats)
    seconds = {name: times["cpu"] for name, times in timed.items()}
    against = {"train": "train", "predict": "predict", "predict bf16": "predict"}
    ratios = {f"ratio, {n}": seconds[f"ours, {n}"] / seconds[f"official, {o}"] for n, o in against.items()}
    return seconds | ratios


def run(args: argparse.Namespace) -> None:
    """Measure and tell."""
    torch.set_num_threads(1)
    found = compare(args.folder, tuple(args.size), args.batch, args.pairs, args.repeats)
    rows = "\n".join(f"| {name} | {value:.3f} |" for name, value in found.items())
    size = "x".join(map(str, args.size))
    setting = f"{args.batch} images of {size}, {args.pairs} pairs each, one thread, torch {torch.__version__}"
    text = f"{setting}\n\n| | |\n| --- | --- |\n{rows}"
    print(text)
    if args.page:
        write_part(args.page, "python benchmarks/official_qpic.py FOLDER", text)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="checkout of the official repository")
    parser.add_argument("--size", type=int, nargs=2, default=(800, 1066), help="height and width")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=6, help="per image")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--page", type=Path, help="Markdown file whose table is replaced")
    parser.add_argument("--debug", action="store_true", help="show the traceback of every error")
    return run_tool(run, parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
