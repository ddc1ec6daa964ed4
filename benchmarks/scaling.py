#!/usr/bin/env python
"""What evaluation and a report cost per image, from 1,000 to 100,000 images.

HICO-DET's test annotations are repeated under new names, and 100 pairs with all verbs are simulated for each image (the
file of the report repeats those of the first round).
*Evaluation* is the metric in a test run: ``process`` for each image, then ``evaluate``. *Report* is what ``hqm-mmdet
report`` does with a JSON file of the best 100 triplets of each image, page included, pictures not. Times are CPU time
of one thread; memory is the peak of a process of its own, imports included. What happens once (imports, counting the
training annotations) is not in the times per image but in a column of its own. The annotations and the simulator lie in
the folder that ``HQM_DATA`` names (default ``../shared/data``); 100,000 images need 3 GB of disk.

    python benchmarks/scaling.py --page docs/benchmarks.md
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the checkout's package

import report
import torch
from page import write_part

from hqm_mmdet.datasets.annotations import read_annotations
from hqm_mmdet.evaluation.offline import load_evaluation_set
from hqm_mmdet.structures import HOIDataSample, new_pairs

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
ONCE = ("training_counts_s",)  # the training annotations are the same, whatever is tested
COMMAND = "python benchmarks/scaling.py"
TITLES = "images | test run: process | evaluate | peak MiB | report: read, match | intervals | other | once, s"
HEAD = f"""HICO-DET, 100 pairs x 117 verbs per image; ms of CPU per image, one thread

| {TITLES} | peak MiB | page, MB |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"""


def repeated(annotated: list[dict], number: int) -> list[dict]:
    """``number`` annotated images, each with a name of its own."""
    return [annotated[i % len(annotated)] | dict(file_name=f"{i:06d}.jpg") for i in range(number)]


def write_predictions(path: Path, annotated: list[dict], distinct: int, ann_file: Path) -> None:
    """A file of simulated predictions; from the image ``distinct`` on, those of the first ones under new names."""
    report.write_json(path, annotated[:distinct], load_evaluation_set("hico", str(ann_file)))
    lines = path.read_text().splitlines()[:-1]  # a line for each image, then the bracket
    with path.open("w") as file:
        for i, image in enumerate(annotated):
            line = lines[i % distinct].lstrip("[,")
            name = annotated[i % distinct]["file_name"]
            file.write(("," if i else "[") + line.replace(name, image["file_name"], 1) + "\n")
        file.write("]")


def peak_mib() -> float:
    """Largest memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def evaluate(ann_file: str) -> dict[str, float]:
    """The metric on simulated predictions of all images of a file."""
    images, annotated = load_evaluation_set("hico", ann_file), read_annotations(ann_file)
    metric, seconds = images.metric, 0.0
    found = report.predictions(annotated, "hico", seed=0)
    for (name, pairs), truth in zip(found, images.truths, strict=True):
        sample = HOIDataSample(metainfo=dict(img_id=name, img_path=name, gt_hois=truth))
        sample.pred_pairs = new_pairs(**{key: torch.from_numpy(value.copy()) for key, value in pairs.items()})
        start = time.process_time()
        metric.process({}, [sample])
        seconds += time.process_time() - start
    start = time.process_time()
    metric.evaluate(len(annotated))
    evaluate_s = time.process_time() - start
    return dict(images=len(annotated), process_s=seconds, evaluate_s=evaluate_s, peak_mib=peak_mib())


def evaluate_in_a_process_of_its_own(ann_file: Path) -> dict[str, float]:
    """:func:`evaluate`, whose peak memory is then its own."""
    command = [sys.executable, __file__, "--evaluate", str(ann_file)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(annotated: list[dict], number: int, train_file: Path, resamples: int) -> dict[str, dict[str, float]]:
    """Both, for a number of images."""
    images = repeated(annotated, number)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ann_file, path = folder / "test.json", folder / "predictions.json"
        ann_file.write_text(json.dumps(images))
        (folder / train_file.name).symlink_to(train_file)
        evaluation = evaluate_in_a_process_of_its_own(ann_file)
        write_predictions(path, images, len(annotated), ann_file)
        return dict(evaluation=evaluation, report=report.in_a_process_of_its_own([path], "hico", ann_file, resamples))


def row(measured: dict[str, dict[str, float]]) -> str:
    """A line of the table."""
    test, page = measured["evaluation"], measured["report"]
    images = test["images"]
    ms = {name: 1e3 * seconds / images for name, seconds in (test | page).items() if name.endswith("_s")}
    parts = ("read_and_match_s", "metrics_with_intervals_s")
    once = sum(page[name] for name in ONCE)
    other = ms["total_s"] - sum(ms[name] for name in (*parts, *ONCE))
    cells = (
        f"{images:,}",
        f"{1e3 * test['process_s'] / images:.3f}",
        f"{ms['evaluate_s']:.3f}",
        f"{test['peak_mib']:,.0f}",
        *(f"{ms[name]:.3f}" for name in parts),
        f"{other:.3f}",
        f"{once:.1f}",
        f"{page['peak_mib']:,.0f}",
        f"{page['page_mb']:.2f}",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES, help="numbers of images")
    parser.add_argument("--resamples", type=int, default=report.RESAMPLES, help="of the report's intervals")
    parser.add_argument("--page", type=Path, help="documentation page that gets the table")
    parser.add_argument("--evaluate", help=argparse.SUPPRESS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.evaluate:
        print(json.dumps(evaluate(args.evaluate)))
        return
    ann_file, train_file = (report.DATA / f"{name}.gz" for name in report.SETS["hico"][:2])
    if not ann_file.is_file():
        sys.exit(f"error: {ann_file} does not exist; set HQM_DATA to the folder with the annotations.")
    annotated, lines, results = read_annotations(str(ann_file)), [HEAD], []
    for number in args.sizes:
        results.append(measure(annotated, number, train_file, args.resamples))
        lines.append(row(results[-1]))
        print(lines[-1], flush=True)
    print(json.dumps(results))
    if args.page:
        write_part(args.page, COMMAND, "\n".join(lines))


if __name__ == "__main__":
    main()
