#!/usr/bin/env python
"""Pair maps of all pairs of an image at once against two loops, one pair at a time, in one process.

One loop calls the same function for each pair; the other one draws with OpenCV, which is compiled code for exactly
this and the oracle of the tests (``tests/models/interactiveness/pair_map_loop.py``). Prints times and both ratios for
images with and without poses, and as last line the same as JSON.
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


def random_image(num_pairs: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes (P, 4) and poses (P, 17, 3) in an image of 640 x 480 pixels; every pose lies in its box."""
    rng = np.random.default_rng(seed)
    corners = np.sort(rng.uniform(0, [640, 480], (2, num_pairs, 2, 2)), axis=2)
    sub, obj = corners.reshape(2, num_pairs, 4)
    poses = sub[:, None, :2] + rng.uniform(size=(num_pairs, 17, 2)) * (sub[:, None, 2:] - sub[:, None, :2])
    return sub, obj, np.concatenate([poses, np.ones((num_pairs, 17, 1))], -1)


def seconds(function: Callable, repeats: int) -> float:
    """Median of wall-clock seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def compare(num_pairs: int, with_poses: bool, repeats: int) -> dict:
    """Both sides in turn, on the same pairs."""
    sub, obj, poses = random_image(num_pairs)
    poses = poses if with_poses else None
    tensors = [None if array is None else torch.from_numpy(array) for array in (sub, obj, poses)]
    rows = list(zip(sub, obj, [None] * num_pairs if poses is None else poses, strict=True))
    pair_maps(*tensors)  # the first call pays for loading kernels
    at_once = seconds(lambda: pair_maps(*tensors), repeats)
    calls = seconds(lambda: [pair_maps(*_row(tensors, i)) for i in range(num_pairs)], repeats)
    opencv = seconds(lambda: [pair_map(*row) for row in rows], repeats)
    times = dict(at_once_ms=1e3 * at_once, calls_ms=1e3 * calls, opencv_ms=1e3 * opencv)
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
    results = [compare(n, poses, args.repeats) for poses in (True, False) for n in args.pairs]
    for row in results:
        print(
            f"{row['pairs']:5d} pairs, {'with' if row['poses'] else 'without':>7} poses: "
            f"at once {row['at_once_ms']:6.2f} ms; a call per pair {row['calls_ms']:7.1f} ms, "
            f"{row['calls_ratio']:5.1f} times; OpenCV {row['opencv_ms']:6.2f} ms, {row['opencv_ratio']:4.1f} times"
        )
    print(json.dumps(results))


if __name__ == "__main__":
    main()
