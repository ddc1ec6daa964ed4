#!/usr/bin/env python
"""Pair maps of all pairs of an image at once against two loops, one pair at a time, in one process on one thread.

At once means at most 256 pairs, as the pair encoder asks for them. One loop calls the same function for each pair; the
other one draws with OpenCV, which is compiled code for exactly this, the way of the official code and the oracle of the
tests (``tests/models/interactiveness/pair_map_loop.py``). Prints CPU times and both ratios for images with and without
poses, how long it takes just to write so many numbers, and as last line the same as JSON.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the checkout's package and tests

import numpy as np
import torch

from hqm_mmdet.models.interactiveness import pair_maps
from tests.models.interactiveness.pair_map_loop import pair_map

CHUNK = 256  # PairEncoder.chunk_size


def random_image(num_pairs: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes (P, 4) and poses (P, 17, 3) in an image of 640 x 480 pixels; every pose lies in its box."""
    rng = np.random.default_rng(seed)
    corners = np.sort(rng.uniform(0, [640, 480], (2, num_pairs, 2, 2)), axis=2)
    sub, obj = corners.reshape(2, num_pairs, 4)
    poses = sub[:, None, :2] + rng.uniform(size=(num_pairs, 17, 2)) * (sub[:, None, 2:] - sub[:, None, :2])
    return sub, obj, np.concatenate([poses, np.ones((num_pairs, 17, 1))], -1)


def seconds(function: Callable, repeats: int) -> float:
    """Median of CPU seconds."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return statistics.median(times)


def in_chunks(tensors: list[torch.Tensor | None]) -> None:
    """Maps of all pairs, none of which are kept."""
    for start in range(0, len(tensors[0]), CHUNK):
        pair_maps(*(None if tensor is None else tensor[start : start + CHUNK] for tensor in tensors))


def writing(num_pairs: int, repeats: int) -> float:
    """Seconds that it takes to fill as many float32 numbers, chunk by chunk."""
    shapes = [(min(CHUNK, num_pairs - start), 3, 64, 64) for start in range(0, num_pairs, CHUNK)]
    return seconds(lambda: [torch.ones(shape) for shape in shapes], repeats)


def compare(num_pairs: int, with_poses: bool, repeats: int) -> dict:
    """Both sides in turn, on the same pairs."""
    sub, obj, poses = random_image(num_pairs)
    poses = poses if with_poses else None
    tensors = [None if array is None else torch.from_numpy(array) for array in (sub, obj, poses)]
    rows = list(zip(sub, obj, [None] * num_pairs if poses is None else poses, strict=True))
    in_chunks(tensors)  # the first call pays for loading kernels
    at_once, written = seconds(lambda: in_chunks(tensors), 5 * repeats), writing(num_pairs, 5 * repeats)
    calls = seconds(lambda: [pair_maps(*_row(tensors, i)) for i in range(num_pairs)], repeats)
    opencv = seconds(lambda: [pair_map(*row) for row in rows], repeats)
    times = dict(at_once_ms=1e3 * at_once, writing_ms=1e3 * written, calls_ms=1e3 * calls, opencv_ms=1e3 * opencv)
    ratios = dict(calls_ratio=calls / at_once, opencv_ratio=opencv / at_once)
    return dict(pairs=num_pairs, poses=with_poses, **times, **ratios)


def _row(tensors: list[torch.Tensor | None], i: int) -> list[torch.Tensor | None]:
    """Pair ``i`` alone."""
    return [None if tensor is None else tensor[i : i + 1] for tensor in tensors]


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", type=int, nargs="+", default=[16, 64, 256, 1024])
    parser.add_argument("--repeats", type=int, default=9)
    args = parser.parse_args()
    torch.set_num_threads(1)
    results = [compare(n, poses, args.repeats) for poses in (True, False) for n in args.pairs]
    for row in results:
        print(
            f"{row['pairs']:5d} pairs, {'with' if row['poses'] else 'without':>7} poses: "
            f"at once {row['at_once_ms']:6.2f} ms (writing {row['writing_ms']:5.2f}); "
            f"a call per pair {row['calls_ms']:7.1f} ms, "
            f"{row['calls_ratio']:5.1f} times; OpenCV {row['opencv_ms']:6.2f} ms, {row['opencv_ratio']:4.1f} times"
        )
    print(json.dumps(results))


if __name__ == "__main__":
    main()
