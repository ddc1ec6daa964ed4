#!/usr/bin/env python
"""How much of ``hqm-mmdet predict`` on a folder is the model: reading images, drawing and writing should cost little.

The model is random, photographs are blurred noise of 640x480. Figures are of process CPU time on one thread.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from hqm_mmdet.apis import HOIInferencer  # noqa: E402


def write_images(folder: Path, count: int) -> None:
    """JPEG files."""
    generator = np.random.default_rng(0)
    for i in range(count):
        image = cv2.resize(generator.integers(0, 255, (24, 32, 3), dtype=np.uint8), (640, 480))
        cv2.imwrite(str(folder / f"{i}.jpg"), image)


def measure(config: str, images: int, batch_size: int) -> dict[str, float]:
    """CPU seconds per image of all and of the model, and the share of the model."""
    inferencer = HOIInferencer(config, device="cpu", show_progress=False)
    seconds, step = [], inferencer.model.test_step

    def timed(data):
        start = time.process_time()
        result = step(data)
        seconds.append(time.process_time() - start)
        return result

    inferencer.model.test_step = timed
    with tempfile.TemporaryDirectory() as folder:
        write_images(Path(folder), images)
        start = time.process_time()
        inferencer(folder, batch_size=batch_size, out_dir=Path(folder) / "out", pred_score_thr=0.0, top_k=5)
        whole = time.process_time() - start
    return dict(whole=whole / images, model=sum(seconds) / images, share=sum(seconds) / whole)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default=str(ROOT / "configs" / "qpic_hico.py"))
    parser.add_argument("--images", type=int, default=6)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=(1, 2))
    args = parser.parse_args()
    torch.set_num_threads(1)
    for batch_size in args.batch_sizes:
        found = measure(args.config, args.images, batch_size)
        print(f"batch {batch_size}: " + ", ".join(f"{name} {value:.3f}" for name, value in found.items()))


if __name__ == "__main__":
    main()
