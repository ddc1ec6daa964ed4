#!/usr/bin/env python
"""Train a tiny two-tower model on crops and prompts of ToyHOI, the stand-in for CLIP in toy configs: a minute or two.

Crops show pairs, and objects alone; every crop is told apart from the prompts of all others. As real CLIP has seen much
that a detector's training set lacks, it is trained on all combinations of a data set, which should be another one than
the detector's (another --seed of make_toy_hoi.py).
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / "hqm_mmdet").is_dir():  # a checkout runs its own package, installed or not
    sys.path.insert(0, str(ROOT))

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from rich.progress import track
from torch import Tensor

from hqm_mmdet.checkpoints import write_checkpoint
from hqm_mmdet.models.clip import CLIP, CLIPSize, clip_input, clip_view, load_phrases, tokenize
from hqm_mmdet.registry import DATASETS
from hqm_mmdet.structures import HOIClasses, load_hoi_classes
from hqm_mmdet.utils.launch import read_config_file, run_tool

SIZE = CLIPSize(
    image_size=64, patch_size=16, vision_width=64, vision_layers=2, text_width=64, text_layers=1, embed_dims=64
)
CONFIG = "configs/_base_/datasets/toy_hoi.py"


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT", help="file to write, .safetensors or .pth")
    parser.add_argument("--data", default="data/toy_hoi", help="folder of make_toy_hoi.py. Default: data/toy_hoi")
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--debug", action="store_true", help="show the traceback of every error")
    return parser.parse_args(argv)


def main(args: argparse.Namespace) -> None:
    """Train and write."""
    torch.manual_seed(args.seed)
    hois = load_hoi_classes("toy_hoi")
    phrases = load_phrases("toy_hoi")
    prompts = phrases.hoi_prompts(hois.names()) + phrases.object_prompts(hois.object_names)[: len(hois.object_names)]
    views, targets = examples(args.data, "train", hois)
    model = CLIP(SIZE)
    model.token_embedding.requires_grad_(False)  # random vectors tell words apart; learning them takes most of the time
    train(model, clip_input(views.float()), targets, tokenize(prompts), args)
    write_checkpoint(args.out, model.state_dict(), {"made_by": "tools/clip/train_toy_clip.py", "steps": args.steps})
    views, targets = examples(args.data, "test", hois)
    print(
        f"{args.out}: {100 * accuracy(model, clip_input(views.float()), targets, tokenize(prompts)):.1f} % of the "
        f"test crops are nearest to a prompt of theirs, out of {len(prompts)}"
    )


def examples(folder: str, split: str, hois: HOIClasses) -> tuple[Tensor, Tensor]:
    """Crops (n, 3, S, S) bytes, and which prompts each goes with (n, HOI classes + object classes), bool."""
    cfg = read_config_file(CONFIG)
    loader = cfg.train_dataloader if split == "train" else cfg.test_dataloader
    dataset = DATASETS.build(dict(loader.dataset, data_root=f"{folder}/", pipeline=[], test_mode=False))
    numbers = {pair: i for i, pair in enumerate(zip(hois.verbs, hois.objects, strict=True))}
    views, targets = [], []
    for i in range(len(dataset)):
        info = dataset.get_data_info(i)
        image = torch.from_numpy(np.array(Image.open(info["img_path"]).convert("RGB"))).permute(2, 0, 1).float()
        boxes, labels = ([instance[key] for instance in info["instances"]] for key in ("bbox", "bbox_label"))
        for subject, obj, verbs in info["pairs"]:
            label = labels[obj] if obj >= 0 else len(hois.object_names)
            whole = union(boxes[subject], boxes[obj if obj >= 0 else subject])
            add(views, targets, image, whole, [numbers[verb, label] for verb in verbs], hois)
            add(views, targets, image, boxes[subject], [len(hois) + labels[subject]], hois)
            if obj >= 0:
                add(views, targets, image, boxes[obj], [len(hois) + label], hois)
    return torch.stack(views), torch.stack(targets)


def add(views: list, targets: list, image: Tensor, box: list, numbers: list[int], hois: HOIClasses) -> None:
    """One crop."""
    x1, y1, x2, y2 = (round(max(number, 0)) for number in box)
    crop = image[:, y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]
    views.append(clip_view(crop, SIZE.image_size).byte())
    target = torch.zeros(len(hois) + len(hois.object_names), dtype=torch.bool)
    target[numbers] = True
    targets.append(target)


def union(first: list, second: list) -> list:
    """Smallest box around two."""
    return [*map(min, first[:2], second[:2]), *map(max, first[2:], second[2:])]


def logits(model: CLIP, images: Tensor, tokens: Tensor) -> Tensor:
    """(n, prompts)."""
    texts = F.normalize(model.encode_text(tokens), dim=1)
    return model.logit_scale.exp() * F.normalize(model.visual.embed(images), dim=1) @ texts.T


def train(model: CLIP, images: Tensor, targets: Tensor, tokens: Tensor, args: argparse.Namespace) -> None:
    """Cross entropy over prompts; a crop that goes with several is to give each the same share."""
    wanted = targets.float() / targets.sum(1, keepdim=True)
    # every prompt as often, whatever the data set's long tail
    frequency = targets.float().sum(0).clamp(min=1)
    chance = (wanted / frequency).sum(1)
    learns = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learns, args.lr, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, args.lr, args.steps)
    for _ in track(range(args.steps), description="training"):
        chosen = chance.multinomial(args.batch_size, replacement=True)
        loss = F.cross_entropy(logits(model, images[chosen], tokens), wanted[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


@torch.no_grad()
def accuracy(model: CLIP, images: Tensor, targets: Tensor, tokens: Tensor) -> float:
    """Share of crops whose nearest prompt is one of theirs."""
    nearest = logits(model.eval(), images, tokens).argmax(1, keepdim=True)
    return targets.gather(1, nearest).float().mean().item()


if __name__ == "__main__":
    sys.exit(run_tool(main, parse_args()))
