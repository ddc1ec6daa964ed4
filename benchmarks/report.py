#!/usr/bin/env python
"""How long a report takes, step by step: HICO-DET's 9,546 test images with simulated predictions.

100 pairs with all verbs are simulated per image and written in the field's JSON format (of HICO-DET the best 100
triplets of an image) or as ``tools/test.py --out`` writes them (every score). ``--dataset vcoco`` takes V-COCO's 5,400
training images, about as many as it has for testing. Then the file is analysed as ``hqm-mmdet report`` does it, in a
process of its own, and the page is written, without pictures. Times are CPU seconds of one thread; ``process_s``
includes the imports, ``wall_s`` is what a clock shows meanwhile. The annotations and the
simulator lie in the folder that ``HQM_DATA`` names (default ``../shared/data``). Prints a table and, as last line, the
same figures as JSON.
"""

import argparse
import json
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the checkout's package and tests

import torch
from rich.progress import track

from hqm_mmdet.datasets.annotations import read_annotations
from hqm_mmdet.evaluation.analysis import RESAMPLES, analyse, compare_files, count_training, metric_values, read_run
from hqm_mmdet.evaluation.analysis.image_cases import ImageBook
from hqm_mmdet.evaluation.offline import EvaluationSet, load_evaluation_set, prediction_entry
from hqm_mmdet.pages.pictures import ImageFolder
from hqm_mmdet.pages.render import write_page
from hqm_mmdet.pages.report import build_report
from tests.evaluation.reference_data import load_module

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("HQM_DATA") or ROOT / "../shared/data").resolve()
NUM_CASES = 12
# data set -> annotations, training annotations beside them, best triplets kept in JSON (V-COCO's metric needs all)
SETS = {
    "hico": ("hico_det/test_hico.json", "hico_det/trainval_hico.json", 100),
    "vcoco": ("v_coco/trainval_vcoco.json", "v_coco/trainval_vcoco.json", None),
}


class Stopwatch:
    """CPU seconds between calls, by name."""

    def __init__(self):
        self.seconds: dict[str, float] = {}
        self._last = time.process_time()

    def lap(self, name: str) -> None:
        """What was done since the last call."""
        now = time.process_time()
        self.seconds[name] = now - self._last
        self._last = now


def predictions(annotated: list[dict], dataset: str, seed: int) -> Iterator[tuple[str, dict]]:
    """File name and pairs of each image."""
    simulator = load_module(DATA / "simulate_predictions.py")
    for i, p in track(simulator.simulate(annotated, dataset, seed), "simulating predictions", len(annotated)):
        sub, obj = p["sub_ids"], p["obj_ids"]
        boxes = dict(sub_bboxes=p["boxes"][sub], obj_bboxes=p["boxes"][obj], obj_labels=p["labels"][obj])
        yield annotated[i]["file_name"], boxes | dict(verb_scores=p["verb_scores"])


def write_json(path: Path, annotated: list[dict], images: EvaluationSet, seed: int = 0) -> None:
    """Entries of the field's format."""
    info, top_k = images.metric.dataset_meta, SETS[images.dataset][2]
    found = predictions(annotated, images.dataset, seed)
    entries = (prediction_entry(name, pairs, info, top_k) for name, pairs in found)
    with path.open("w") as file:  # one by one: a large set's are gigabytes
        for i, entry in enumerate(entries):
            file.write(("," if i else "[") + json.dumps(entry, separators=(",", ":")) + "\n")
        file.write("]")


def write_pickle(path: Path, annotated: list[dict], images: EvaluationSet, seed: int = 0) -> None:
    """Every score, as mmengine's ``DumpResults`` keeps it."""
    samples = [
        dict(img_path=name, pred_pairs={key: torch.from_numpy(value.copy()) for key, value in pairs.items()})
        for name, pairs in predictions(annotated, images.dataset, seed)
    ]
    path.write_bytes(pickle.dumps(samples))


WRITERS = {"json": write_json, "pkl": write_pickle}


def time_analysis(path: str, dataset: str, ann_file: str, resamples: int) -> dict[str, float]:
    """Steps of :func:`~hqm_mmdet.evaluation.analysis.analyse_file`, and the page."""
    watch = Stopwatch()
    images = load_evaluation_set(dataset, ann_file)
    watch.lap("annotations_s")
    run = read_run(path, images)
    watch.lap("read_and_match_s")
    counts = count_training(images)
    watch.lap("training_counts_s")
    metrics = metric_values(run, resamples)
    watch.lap("metrics_with_intervals_s")
    wrong = sum(each.count for each in run.breakdown.rows)
    watch.lap("errors_s")
    analysis = analyse(ImageBook(run), metrics, counts, NUM_CASES)
    watch.lap("classes_and_images_s")
    page = write_page(os.path.dirname(path), build_report(analysis, ImageFolder(None)))
    watch.lap("page_s")
    numbers = dict(images=analysis.num_images, candidates=len(run.judged.preds), errors=wrong, page_mb=size_of(page))
    return numbers | watch.seconds | dict(total_s=sum(watch.seconds.values()))


def time_comparison(paths: list[str], dataset: str, ann_file: str, resamples: int) -> dict[str, float]:
    """:func:`~hqm_mmdet.evaluation.analysis.compare_files`, and the page."""
    watch = Stopwatch()
    comparison = compare_files(*paths, load_evaluation_set(dataset, ann_file), None, NUM_CASES, resamples)
    page = write_page(os.path.dirname(paths[0]), build_report(comparison, ImageFolder(None)))
    watch.lap("total_s")
    return dict(images=comparison.first.num_images, page_mb=size_of(page)) | watch.seconds


def size_of(path: Path) -> float:
    """Megabytes."""
    return path.stat().st_size / 1e6


def in_a_process_of_its_own(paths: list[Path], dataset: str, ann_file: Path, resamples: int) -> dict[str, float]:
    """Times of a report, of a comparison if there are two files, with the peak memory."""
    options = ["--dataset", dataset, "--resamples", str(resamples), "--analyse", str(ann_file), *map(str, paths)]
    start = time.perf_counter()
    done = subprocess.run([sys.executable, __file__, *options], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1]) | dict(wall_s=time.perf_counter() - start)


def analyse_and_print(paths: list[str], dataset: str, ann_file: str, resamples: int) -> None:
    """What that process does."""
    if paths[1:]:
        row = time_comparison(paths, dataset, ann_file, resamples)
    else:
        row = time_analysis(paths[0], dataset, ann_file, resamples)
    row["process_s"] = time.process_time()
    row["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(json.dumps(row))


def show(title: str, row: dict[str, float]) -> None:
    """One row of results as lines."""
    print(title)
    for name, value in row.items():
        print(f"  {name:28s}{value:14.3g}" if isinstance(value, float) else f"  {name:28s}{value:14d}")
    sys.stdout.flush()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", choices=sorted(SETS), default="hico")
    parser.add_argument("--limit", type=int, help="first images only")
    parser.add_argument("--resamples", type=int, default=RESAMPLES)
    parser.add_argument("--formats", nargs="+", choices=sorted(WRITERS), default=sorted(WRITERS))
    parser.add_argument("--analyse", nargs="+", help=argparse.SUPPRESS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.analyse:
        analyse_and_print(args.analyse[1:], args.dataset, args.analyse[0], args.resamples)
        return
    ann_file, train_file = (DATA / f"{name}.gz" for name in SETS[args.dataset][:2])
    if not ann_file.is_file():
        sys.exit(f"error: {ann_file} does not exist; set HQM_DATA to the folder with the annotations.")
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(args, read_annotations(str(ann_file))[: args.limit], train_file, Path(folder))))


def measure(args: argparse.Namespace, annotated: list[dict], train_file: Path, folder: Path) -> dict[str, dict]:
    """Write files, analyse each, compare the last one with another."""
    ann_file, results = folder / "test.json", {}
    ann_file.write_text(json.dumps(annotated))
    (folder / train_file.name).symlink_to(train_file)
    images = load_evaluation_set(args.dataset, str(ann_file))
    for ending in args.formats:
        path = folder / f"predictions.{ending}"
        WRITERS[ending](path, annotated, images)
        row = in_a_process_of_its_own([path], args.dataset, ann_file, args.resamples)
        results[ending] = dict(file_mb=size_of(path)) | row
        show(f"{args.dataset}, {ending}, {args.resamples} resamples", results[ending])
    second = folder / f"second.{ending}"
    WRITERS[ending](second, annotated, images, seed=1)
    results["comparison"] = in_a_process_of_its_own([path, second], args.dataset, ann_file, args.resamples)
    show(f"{args.dataset}, comparison of two {ending} files", results["comparison"])
    return results


if __name__ == "__main__":
    main()
