#!/usr/bin/env python
"""Do combinations of verb and object that were never trained come out? HOICLIP and QPIC on the toy set without six.

Makes a second toy set, trains the stand-in CLIP on it (all combinations, as real CLIP has seen much that a detector's
training set lacks), trains both detectors without the six, and writes their mAP into docs/hoiclip.md. What is there is
not made again. A quarter of an hour on two cores, both detectors at a time.
"""

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from page import write_part

from hqm_mmdet.evaluation.functional.matching import aligned_iou
from hqm_mmdet.evaluation.metrics.records import to_numpy
from hqm_mmdet.evaluation.offline import load_evaluation_set, read_predictions
from hqm_mmdet.structures import HOIClasses, load_hoi_classes, unseen_hois

COMMAND = "python benchmarks/zero_shot.py"
CONFIGS = {"QPIC": "qpic_zero_shot_toy", "HOICLIP": "hoiclip_zero_shot_toy"}
COLUMNS = ("full", "seen", "unseen")
SPLIT = "unseen_combination"


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work-dir", type=Path, default=ROOT / "work_dirs" / "zero_shot")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "hoiclip.md")
    parser.add_argument("--train-images", type=int, default=2000, help="of the detectors")
    parser.add_argument("--clip-images", type=int, default=4000)
    parser.add_argument("--clip-steps", type=int, default=3000)
    parser.add_argument("--epochs", type=int, default=23)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


def python(*words: str | Path | int) -> subprocess.Popen:
    """A script of the project, started."""
    print("+ python", *words, flush=True)
    environment = dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS="1")
    return subprocess.Popen([sys.executable, *map(str, words)], cwd=ROOT, env=environment)


def finish(*running: subprocess.Popen) -> None:
    """Wait.

    Raises:
        SystemExit: one of them failed.
    """
    if any([process.wait() for process in running]):
        sys.exit(1)


def prepare(args: argparse.Namespace) -> tuple[Path, Path]:
    """The detectors' data set and the CLIP weights."""
    sets = {"data": (args.seed, args.train_images), "clip_data": (args.seed + 1, args.clip_images)}
    for name, (seed, images) in sets.items():
        if not (args.work_dir / name).is_dir():
            options = ("--seed", seed, "--num-train", images, "--quiet")
            finish(python("tools/dataset_converters/make_toy_hoi.py", args.work_dir / name, *options))
    clip = args.work_dir / "toy_clip.safetensors"
    if not clip.is_file():
        options = ("--data", args.work_dir / "clip_data", "--steps", args.clip_steps, "--seed", args.seed)
        finish(python("tools/clip/train_toy_clip.py", clip, *options))
    return args.work_dir / "data", clip


def train(config: str, data: Path, clip: Path, args: argparse.Namespace) -> subprocess.Popen:
    """A detector, started."""
    options = ["--epochs", args.epochs, "--batch-size", 16, "--val-interval", args.epochs, "--seed", args.seed]
    options += ["--data-root", f"{data}/", "--work-dir", args.work_dir / config]
    if config.startswith("hoiclip"):
        options += ["--cfg-options", f"model.clip.weights={clip}", f"model.bbox_head.clip={clip}"]
    return python("tools/train.py", f"configs/{config}.py", *options)


@dataclass(frozen=True)
class Verbs:
    """How often the right verb of a labelled pair is the best scored one, and how often chance would have it so.

    Args:
        right, chance (float): shares of the pairs that a prediction localises.
        pairs (int): labelled triplets.
        localised (float): share that some prediction localises.
    """

    right: float
    chance: float
    pairs: int
    localised: float


def best_fit(labelled: tuple[np.ndarray, np.ndarray], pairs: dict[str, np.ndarray]) -> int | None:
    """The predicted pair whose worse box fits best, if both boxes have an IoU of at least 0.5."""
    predicted = pairs["sub_bboxes"], pairs["obj_bboxes"]
    worse = np.minimum(
        *(aligned_iou(boxes, np.broadcast_to(box, boxes.shape)) for boxes, box in zip(predicted, labelled, strict=True))
    )
    return int(worse.argmax()) if worse.max() >= 0.5 else None


def verbs_of(truths: list[dict], predictions: list[dict], wanted: frozenset[int], hois: HOIClasses) -> Verbs:
    """Verbs of labelled triplets whose HOI class is wanted.

    Args:
        truths (list[dict]): per image ``boxes`` (n, 4), ``labels`` (n,) and ``hois`` of (subject, object, verb).
        predictions (list[dict]): per image a ``pred_pairs``, with ``hoi_scores`` or ``verb_scores``.
        wanted (frozenset[int]): HOI classes.
        hois (HOIClasses): all of them.
    """
    classes = {pair: i for i, pair in enumerate(zip(hois.verbs, hois.objects, strict=True))}
    right, chances, total = [], [], 0
    for truth, pairs in zip(truths, predictions, strict=True):
        for subject, obj, verb in truth["hois"]:
            if obj < 0 or classes.get((verb, truth["labels"][obj])) not in wanted:
                continue
            total += 1
            query = best_fit((truth["boxes"][subject], truth["boxes"][obj]), pairs)
            if query is None:
                continue
            same = [i for i, label in enumerate(hois.objects) if label == truth["labels"][obj]]
            scores = pairs["hoi_scores"][query] if "hoi_scores" in pairs else pairs["verb_scores"][query, hois.verbs]
            best = same[int(np.argmax(scores[same]))]
            right.append(hois.verbs[best] == verb)
            chances.append(1 / len(same))
    return Verbs(np.mean(right).item(), np.mean(chances).item(), total, len(right) / total)


def verbs(folder: Path, config: str, data: Path) -> dict[str, Verbs]:
    """Of a trained detector on its test set, ``seen`` and ``unseen``."""
    out = folder / "test.pkl"
    if not out.is_file():
        checkpoint = max(folder.glob("epoch_*.pth"), key=lambda file: int(file.stem.split("_")[1]))
        root = f"test_dataloader.dataset.data_root={data}/"
        options = ("--work-dir", folder / "test", "--out", out, "--cfg-options", root)
        finish(python("tools/test.py", f"configs/{config}.py", checkpoint, *options))
    images = load_evaluation_set("toy", str(data / "annotations" / "test_toy.json"))
    found = {}
    for prediction in read_predictions(out, images.metric.dataset_meta):
        pairs = prediction.sample["pred_pairs"]
        arrays = {name: to_numpy(value) for name, value in pairs.items() if name != "hois"}
        found[images.position(Path(prediction.image).name)] = arrays
    predictions = [found[i] for i in range(len(images.truths))]
    hois = load_hoi_classes("toy_hoi")
    unseen = unseen_hois("toy_hoi", SPLIT)
    sets = dict(seen=frozenset(range(len(hois))) - unseen, unseen=frozenset(unseen))
    return {name: verbs_of(list(images.truths), predictions, wanted, hois) for name, wanted in sets.items()}


def metrics(folder: Path) -> dict[str, float] | None:
    """Of the last validation of a training, if it is there."""
    for file in sorted(folder.glob("*/vis_data/scalars.json"), reverse=True):
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        found = [line for line in lines if "hico/unseen" in line]
        if found:
            return found[-1]
    return None


@dataclass(frozen=True)
class Result:
    """What a detector makes of both sets: mAP by ``COLUMNS``, and verbs."""

    mean_ap: dict[str, float]
    verbs: dict[str, Verbs]


def table(results: dict[str, Result], args: argparse.Namespace) -> str:
    """Markdown."""
    columns = [*(f"mAP {name}" for name in COLUMNS), "verbs seen", "verbs unseen", "by chance", "localised unseen"]
    lines = ["| | " + " | ".join(columns) + " |", "| --- |" + " ---: |" * len(columns)]
    for name, result in results.items():
        seen, unseen = result.verbs["seen"], result.verbs["unseen"]
        numbers = [*(result.mean_ap[column] for column in COLUMNS), seen.right, unseen.right, unseen.chance]
        lines.append(f"| {name} | " + " | ".join(f"{n:.3f}" for n in [*numbers, unseen.localised]) + " |")
    pairs = next(iter(results.values())).verbs["unseen"].pairs
    note = f"{args.epochs} epochs, seed {args.seed}, {pairs} labelled triplets of unseen classes; made by `{COMMAND}`."
    return "\n".join([*lines, "", note])


def main(args: argparse.Namespace) -> dict[str, Result]:
    """Make what is missing, write the table."""
    data, clip = prepare(args)
    folders = {name: args.work_dir / config for name, config in CONFIGS.items()}
    missing = [CONFIGS[name] for name, folder in folders.items() if metrics(folder) is None]
    finish(*(train(config, data, clip, args) for config in missing))
    results = {}
    for name, folder in folders.items():
        mean_ap = {column: metrics(folder)[f"hico/{column}"] for column in COLUMNS}
        results[name] = Result(mean_ap, verbs(folder, CONFIGS[name], data))
    text = table(results, args)
    write_part(args.page, COMMAND, text)
    print(text)
    return results


if __name__ == "__main__":
    main(parse_args())
