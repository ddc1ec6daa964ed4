#!/usr/bin/env python
"""Make the verb classifier of HOICLIP out of the training images that a config trains on.

Crops of subjects, objects and their unions are embedded by CLIP; OUT (.safetensors) holds one row per verb. Without OUT
it is the file that the config names as model.bbox_head.verb_file. With a zero-shot config only pairs that it trains on
are used, so the file has not seen unseen classes; --all-pairs uses all of them, as the authors' file does. An
interrupted run goes on where it stopped, from OUT.partial.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / "hqm_mmdet").is_dir():  # a checkout runs its own package, installed or not
    sys.path.insert(0, str(ROOT))

import numpy as np
import torch
from PIL import Image
from rich.progress import track
from torch import Tensor

from hqm_mmdet.models.clip import CLIP, VisionTower, clip_input, clip_view, read_clip
from hqm_mmdet.models.clip.verb_arithmetic import Crop, VerbSums, crops_of_pairs
from hqm_mmdet.registry import DATASETS
from hqm_mmdet.safetensors_io import read_safetensors, safetensors_bytes
from hqm_mmdet.structures import HOIClasses, load_hoi_classes
from hqm_mmdet.utils.atomic_io import write_atomically
from hqm_mmdet.utils.launch import read_config_file, run_tool
from hqm_mmdet_cli.errors import UsageError


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", help="of a HOICLIP; its training set is read")
    parser.add_argument("out", type=Path, nargs="?", metavar="OUT", help="file to write, .safetensors")
    parser.add_argument("--clip", help="CLIP weights; default: those that the config names")
    parser.add_argument("--all-pairs", action="store_true", help="of a zero-shot config, use unseen classes too")
    parser.add_argument("--batch-size", type=int, default=64, help="crops per pass of CLIP")
    parser.add_argument("--save-every", type=int, default=200, help="images between saved states")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--debug", action="store_true", help="show the traceback of every error")
    return parser.parse_args(argv)


def main(args: argparse.Namespace) -> None:
    """Embed, sum, write.

    Raises:
        UsageError: OUT has another ending, or the config is of a model that does not score HOI classes.
    """
    cfg = read_config_file(args.config)
    head = cfg.model.bbox_head
    if args.out is None and head.get("verb_file") is None:
        raise UsageError(f"{args.config} names no model.bbox_head.verb_file, so say where to write: {args.config} OUT.")
    args.out = args.out or Path(head.verb_file)
    if args.out.suffix != ".safetensors":
        raise UsageError(f"OUT must end in .safetensors, got {args.out}.")
    if "clip" not in cfg.model or not cfg.model.clip or "hois" not in head:
        raise UsageError(f"{args.config} is no HOICLIP: it has no model.clip, or its head does not score HOI classes.")
    hois, weights = load_hoi_classes(head.hois), args.clip or cfg.model.clip.weights
    state = read_clip(weights)
    tower = CLIP.of_state(state).visual.to(args.device)
    infos = training_images(cfg, args.all_pairs)
    run = fingerprint(infos, state)
    sums, done = resume(partial_file(args.out), run, VerbSums.empty(hois, tower.size.embed_dims))
    for start in track(range(done, len(infos), args.save_every), description="images"):
        chunk = infos[start : start + args.save_every]
        for info in chunk:
            add_image(sums, info, hois, tower, args)
        save(partial_file(args.out), run, sums, start + len(chunk))
    rows = sums.rows(hois)
    write_atomically(args.out, safetensors_bytes({"weight": rows}, {"images": len(infos), "clip": str(weights)}))
    partial_file(args.out).unlink(missing_ok=True)
    print(f"{args.out}: {int((rows != 0).any(1).sum())} of {len(rows)} verbs have images, out of {len(infos)}")


def training_images(cfg, all_pairs: bool) -> list[dict]:
    """Annotations of the config's training set, without its pipeline."""
    dataset = dict(cfg.train_dataloader.dataset, pipeline=[])
    if all_pairs:
        dataset.pop("zero_shot", None)
    dataset = DATASETS.build(dataset)
    return [dataset.get_data_info(i) for i in range(len(dataset))]


def add_image(sums: VerbSums, info: dict, hois: HOIClasses, tower: VisionTower, args: argparse.Namespace) -> None:
    """Embed the crops of one image."""
    instances = info["instances"]
    boxes, labels = ([instance[key] for instance in instances] for key in ("bbox", "bbox_label"))
    image = torch.from_numpy(np.array(Image.open(info["img_path"]).convert("RGB"))).permute(2, 0, 1).float()
    crops = [crop for crop in crops_of_pairs(boxes, labels, info["pairs"], hois) if not empty(crop, image)]
    for start in range(0, len(crops), args.batch_size):
        batch = crops[start : start + args.batch_size]
        views = torch.stack([clip_view(cut(image, crop), tower.size.image_size) for crop in batch])
        with torch.no_grad():
            sums.add(batch, tower.embed(clip_input(views.to(args.device))))


def cut(image: Tensor, crop: Crop) -> Tensor:
    """(3, H, W) -> the crop's pixels, at least one."""
    x1, y1, x2, y2 = (round(number) for number in crop.box)
    return image[:, max(y1, 0) : max(y2, y1 + 1), max(x1, 0) : max(x2, x1 + 1)]


def empty(crop: Crop, image: Tensor) -> bool:
    """Whether a crop lies outside its image."""
    return not cut(image, crop).numel()


def fingerprint(infos: list[dict], state: dict[str, Tensor]) -> str:
    """What the sums are made of: images, pairs and CLIP weights."""
    digest = hashlib.sha256(state["visual.proj"].numpy().tobytes())
    for info in infos:
        digest.update(json.dumps([info["img_path"], info["pairs"]], default=int).encode())
    return digest.hexdigest()


def partial_file(out: Path) -> Path:
    """Where an unfinished run keeps its state."""
    return out.with_name(out.name + ".partial.safetensors")


def resume(file: Path, run: str, sums: VerbSums) -> tuple[VerbSums, int]:
    """Sums and number of images of an interrupted run.

    Raises:
        UsageError: it was a run with other images, pairs or weights.
    """
    if not file.is_file():
        return sums, 0
    content = read_safetensors(file)
    if content["meta"]["run"] != run:
        raise UsageError(f"{file} belongs to a run with other images, pairs or CLIP weights. Remove it to start anew.")
    print(f"going on after {content['meta']['images']} images of {file}")
    return VerbSums(**content["state_dict"]), content["meta"]["images"]


def save(file: Path, run: str, sums: VerbSums, images: int) -> None:
    """Keep the state."""
    write_atomically(file, safetensors_bytes(vars(sums), {"run": run, "images": images}))


if __name__ == "__main__":
    sys.exit(run_tool(main, parse_args()))
