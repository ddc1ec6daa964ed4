#!/usr/bin/env python
"""What a training image costs the CPU: this project's pipeline and the official one, image by image in one process.

The official side is QPIC's augmentation written with Pillow after its description (transforms of DETR): flip, colour
jitter, a random size or a crop between two resizings, a normalised float tensor. Images are made up, with sizes of
HICO-DET's. Figures are process CPU time on one thread. Also prints images per second with worker processes, and the
same for inference, where large photographs are decoded at a fraction of their size.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from PIL import Image, ImageEnhance, ImageFilter

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from page import write_part  # noqa: E402

from hqm_mmdet.registry import TRANSFORMS  # noqa: E402

CONFIG = ROOT / "configs" / "qpic_hico.py"
# Width and height of HICO-DET's images: most have a longer side of 640.
SIZES = ((640, 480),) * 5 + ((640, 427),) * 5 + ((480, 640),) * 3 + ((427, 640), (640, 360), (500, 375))
MEAN, STD = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
SCALES = range(480, 801, 32)


def make_images(folder: Path, count: int, sizes: tuple = SIZES) -> list[Path]:
    """JPEG files of smooth colours with some noise, which compress as photographs do."""
    random, paths = np.random.default_rng(0), []
    for i in range(count):
        width, height = sizes[i % len(sizes)]
        coarse = Image.fromarray(random.integers(0, 256, (height // 16, width // 16, 3), dtype=np.uint8))
        smooth = coarse.resize((width, height), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(1))
        noisy = np.asarray(smooth) + random.normal(0, 6, (height, width, 3))
        paths.append(folder / f"{i}.jpg")
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(paths[-1], quality=90)
    return paths


def annotated(path: Path, size: tuple[int, int]) -> dict:
    """A data set's entry with three boxes and two pairs, as a pipeline gets it."""
    width, height = size
    boxes = [[0.1, 0.1, 0.6, 0.9], [0.4, 0.3, 0.9, 0.8], [0.3, 0.5, 0.7, 0.95]]
    instances = [
        dict(bbox=[x1 * width, y1 * height, x2 * width, y2 * height], bbox_label=i, ignore_flag=0)
        for i, (x1, y1, x2, y2) in enumerate(boxes)
    ]
    pairs = [(0, 1, [0]), (0, 2, [1, 2])]
    return dict(
        img_path=str(path), img_id=0, instances=instances, pairs=pairs, num_verbs=117, num_classes=80, strict=False
    )


class Clock:
    """Adds up CPU seconds by step."""

    def __init__(self):
        self.seconds = defaultdict(float)

    def __call__(self, name: str, step: Callable, *args):
        """Run a step."""
        start = time.process_time()
        result = step(*args)
        self.seconds[name] += time.process_time() - start
        return result


def ours(steps: list[tuple[str, Callable]], path: Path, clock: Clock) -> None:
    """One image through the config's pipeline."""
    with Image.open(path) as image:
        results = annotated(path, image.size)
    for name, step in steps:
        results = clock(name, step, results)


def steps_of(pipeline: list[dict]) -> list[tuple[str, Callable]]:
    """Built transforms by name."""
    return [(step["type"], TRANSFORMS.build(step)) for step in pipeline]


def decode(path: Path) -> Image.Image:
    """The file's pixels."""
    with Image.open(path) as image:
        return image.convert("RGB")


def official_jitter(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """Brightness, contrast, saturation in random order, factors in [0.6, 1.4]."""
    enhancers = (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)
    for i in random.permutation(3):
        image = enhancers[i](image).enhance(random.uniform(0.6, 1.4))
    return image


def official_resize(image: Image.Image, shorter: int, longest: float = 1333) -> Image.Image:
    """Shorter side to a length, unless the longer one gets too long; bilinear."""
    width, height = image.size
    factor = min(shorter / min(width, height), longest / max(width, height))
    return image.resize((round(width * factor), round(height * factor)), Image.Resampling.BILINEAR)


def official_geometry(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """A random size; in every second image, a crop from another random size before."""
    if random.random() < 0.5:
        image = official_resize(image, random.choice((400, 500, 600)), np.inf)
        width, height = (int(random.integers(384, max(min(side, 600), 384) + 1)) for side in image.size)
        width, height = min(width, image.width), min(height, image.height)
        left, top = (int(random.integers(0, limit + 1)) for limit in (image.width - width, image.height - height))
        image = image.crop((left, top, left + width, top + height))
    return official_resize(image, random.choice(SCALES))


def official_tensor(image: Image.Image) -> torch.Tensor:
    """(3, H, W) float32, normalised."""
    scaled = torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous().float().div(255)
    return scaled.sub_(torch.from_numpy(MEAN)[:, None, None]).div_(torch.from_numpy(STD)[:, None, None])


def official(path: Path, random: np.random.Generator, clock: Clock) -> None:
    """One image through the official pipeline."""
    image = clock("decode", decode, path)
    if random.random() < 0.5:
        image = clock("flip", image.transpose, Image.Transpose.FLIP_LEFT_RIGHT)
    image = clock("jitter", official_jitter, image, random)
    image = clock("resize, crop", official_geometry, image, random)
    clock("tensor", official_tensor, image)


def official_inference(path: Path, clock: Clock) -> None:
    """One image to 800 pixels."""
    image = clock("decode", decode, path)
    image = clock("resize", official_resize, image, 800)
    clock("tensor", official_tensor, image)


def compare(sides: dict[str, Callable[[Path, Clock], None]], paths: list[Path], repeats: int) -> dict[str, dict]:
    """Milliseconds per image of each step of each side, image by image in turn; medians of the repeats."""
    rounds = {name: [] for name in sides}
    for _ in range(repeats + 1):
        clocks = {name: Clock() for name in sides}
        for path in paths:
            for name, side in sides.items():
                side(path, clocks[name])
        for name, clock in clocks.items():
            rounds[name].append({step: 1000 * s / len(paths) for step, s in clock.seconds.items()})
    return {
        name: {step: statistics.median(each.get(step, 0.0) for each in found[1:]) for step in found[-1]}
        for name, found in rounds.items()
    }


def worker_rate(cfg: Config, folder: Path, paths: list[Path], workers: int, repeats: int) -> float:
    """Images per second that a data loader with so many workers delivers."""
    entries = []
    for path in paths * repeats:
        with Image.open(path) as image:
            entries.append(annotated(path, image.size))
    pipeline = [TRANSFORMS.build(step) for step in cfg.train_pipeline]
    loader = Runner.build_dataloader(
        dict(
            dataset=_Entries(entries, pipeline),
            batch_size=2,
            num_workers=workers,
            persistent_workers=workers > 0,
            sampler=dict(type="DefaultSampler", shuffle=False),
        )
    )
    for _ in loader:  # workers start, files are read
        pass
    start = time.perf_counter()
    for _ in loader:
        pass
    return len(entries) / (time.perf_counter() - start)


class _Entries(torch.utils.data.Dataset):
    def __init__(self, entries: list[dict], pipeline: list[Callable]):
        self.entries, self.pipeline = entries, pipeline

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> dict:
        results = dict(self.entries[index])
        for step in self.pipeline:
            results = step(results)
        return results


def as_markdown(found: dict[str, dict[str, float]]) -> str:
    """A row per step."""
    lines = ["| | step | ms per image |", "| --- | --- | --- |"]
    for side, steps in found.items():
        lines += [f"| {side} | {step} | {ms:.2f} |" for step, ms in steps.items()]
        lines.append(f"| {side} | all | {sum(steps.values()):.2f} |")
    return "\n".join(lines)


def ratio(found: dict[str, dict[str, float]]) -> float:
    """Ours over the official side's."""
    return sum(found["ours"].values()) / sum(found["official"].values())


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workers", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--page", type=Path, help="Markdown file whose table is replaced")
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    init_default_scope("hqm_mmdet")
    cfg = Config.fromfile(CONFIG)
    random = np.random.default_rng(0)
    np.random.seed(0)
    with tempfile.TemporaryDirectory() as folder:
        paths = make_images(Path(folder), args.images)
        train, test = steps_of(cfg.train_pipeline), steps_of(cfg.test_pipeline)
        training = compare(
            {"ours": lambda p, c: ours(train, p, c), "official": lambda p, c: official(p, random, c)},
            paths,
            args.repeats,
        )
        (Path(folder) / "large").mkdir()
        large = make_images(Path(folder) / "large", max(2, args.images // 16), ((4000, 3000),))
        sides = {"ours": lambda p, c: ours(test, p, c), "official": official_inference}
        inference, photographs = (compare(sides, files, args.repeats) for files in (paths, large))
        rates = {n: worker_rate(cfg, Path(folder), paths, n, args.repeats) for n in args.workers}
    parts = [f"{args.images} images, one thread, Pillow {Image.__version__}, OpenCV {cv2.__version__}"]
    for title, found in (("Training", training), ("Inference", inference), ("Inference, 12 megapixels", photographs)):
        parts.append(f"{title}: {ratio(found):.2f} of the official pipeline.\n\n{as_markdown(found)}")
    parts.append(
        "\n".join(
            ["| workers | images per second |", "| --- | --- |", *(f"| {n} | {r:.0f} |" for n, r in rates.items())]
        )
    )
    text = "\n\n".join(parts)
    print(text)
    if args.page:
        write_part(args.page, "python benchmarks/data_pipeline.py", text)


if __name__ == "__main__":
    main()
