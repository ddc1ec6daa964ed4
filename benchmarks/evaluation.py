#!/usr/bin/env python
"""Evaluation of this package against straightforward loops, on real annotations with simulated predictions.

The loops are the oracles of the tests (``tests/evaluation/oracle*.py``), which go through predictions one by one as the
official evaluators do. Both sides start from the same predictions in memory (arrays here, lists there), and times are
CPU seconds of one thread. The error breakdown is timed alone. The annotations and the simulator lie in the folder that
``HQM_DATA`` names (default ``../shared/data``). Prints a table and, as last line, the same figures as JSON. The loops
take several minutes; ``--loop-images`` limits those of HICO-DET.
"""

import argparse
import gzip
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the checkout's package and tests

import numpy as np
import torch

from hqm_mmdet.evaluation import HICODetMetric
from hqm_mmdet.evaluation.functional import (
    QPIC,
    PersonTable,
    TripletCoder,
    VCOCORoles,
    agents_from_pairs,
    break_down,
    evaluate_triplets,
    ground_truth_table,
    judge_roles,
    judge_triplets,
    mean_results,
    prediction_table,
    rank_vcoco,
    stack_images,
    stack_tables,
    verb_mask_by_object,
)
from hqm_mmdet.evaluation.metrics.records import ImageRecord
from hqm_mmdet.evaluation.offline import load_evaluation_set
from hqm_mmdet.evaluation.vcoco_files import read_vcoco
from hqm_mmdet.structures import HOIDataSample, new_pairs
from tests.evaluation import oracle, oracle_vcoco
from tests.evaluation.reference_data import load_module
from tests.evaluation.vcoco_cases import ACTIONS, VERBS, pairs_as_oracle, persons_as_oracle, select_images

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("HQM_DATA") or ROOT / "../shared/data").resolve()
NO_OBJECT = 80
ROWS = ("hico500", "hico", "vcoco200", "vcoco", "metric", "hico_errors", "vcoco_errors")


def timed(function: Callable) -> tuple[float, object]:
    """CPU seconds and result."""
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def read(name: str):
    """A gzipped JSON file of the data folder."""
    with gzip.open(DATA / name, "rt") as file:
        return json.load(file)


def load_simulator():
    """``simulate_predictions.py`` of the data folder."""
    path = DATA / "simulate_predictions.py"
    if not path.is_file():
        sys.exit(f"error: {path} does not exist; set HQM_DATA to the folder with the annotations.")
    return load_module(path)


class Hico:
    """HICO-DET test images with 100 pairs x 117 verbs each."""

    def __init__(self, every: int = 1, limit: int | None = None):
        images = load_evaluation_set("hico", str(DATA / "hico_det" / "test_hico.json.gz"))
        self.metainfo = images.metric.dataset_meta
        self.coder = TripletCoder(len(self.metainfo["classes"]), len(self.metainfo["verbs"]))
        self.mask = verb_mask_by_object(self.metainfo["valid_pairs"], self.coder.num_objects)
        self.rare = images.metric.vocabulary.rare_classes
        self.simulator, self.annotations = load_simulator(), read("hico_det/test_hico.json.gz")
        self.indices = self.simulator.select(len(self.annotations), every, limit)
        self.truths = [images.truths[i] for i in self.indices]

    def predictions(self):
        """Simulated predictions, one at a time."""
        for _, prediction in self.simulator.simulate(self.annotations, "hico", 0, None, self.indices):
            yield prediction

    def evaluate(self, predictions: list[dict], known_object: bool) -> dict:
        """From arrays of each image to AP per class, as the metric does."""
        tables = stack_images([self.table(p) for p in predictions], scored=True)
        truths = stack_images([self.truth(t) for t in self.truths], scored=False)
        num_boxes = np.array([len(t["boxes"]) for t in self.truths])
        return evaluate_triplets(tables, truths, num_boxes, self.coder, QPIC, known_object)

    def table(self, p: dict):
        """Candidates of an image."""
        boxes, labels, sub, obj = p["boxes"], p["labels"], p["sub_ids"], p["obj_ids"]
        return prediction_table(boxes[sub], boxes[obj], labels[obj], p["verb_scores"], self.coder, self.mask)

    def truth(self, t: dict):
        """Ground truth of an image."""
        return ground_truth_table(t["boxes"], t["labels"], t["hois"], self.coder)

    def loop(self, predictions: list[dict]) -> tuple[float, dict]:
        """CPU seconds and result of the oracle, default setting."""
        gts = [{key: np.asarray(value).tolist() for key, value in t.items()} for t in self.truths]
        preds = AsLists(predictions)
        mat = self.metainfo["valid_pairs"].astype(int).tolist()
        rare = set(self.metainfo["rare_triplets"])
        seconds, result = timed(lambda: oracle.evaluate(gts, preds, QPIC, mat, NO_OBJECT, rare))
        return seconds - preds.seconds, result


class AsLists:
    """Predictions as lists, one image at a time: those of the full set would take gigabytes at once."""

    def __init__(self, predictions: list[dict]):
        self.predictions, self.seconds = predictions, 0.0

    def __iter__(self):
        """Convert an image, and note the time that this takes."""
        for p in self.predictions:
            seconds, lists = timed(lambda p=p: {key: value.tolist() for key, value in p.items()})
            self.seconds += seconds
            yield lists


def hico_row(every: int, limit: int | None, loop_images: int | None, repeats: int) -> dict[str, float]:
    """Times of both sides, their ratio and largest difference."""
    images = Hico(every, limit)
    predictions = list(images.predictions())
    ours = [timed(lambda: images.evaluate(predictions, known_object=False)) for _ in range(repeats)]
    both = [timed(lambda: images.evaluate(predictions, known_object=True))[0] for _ in range(repeats)]
    tables = stack_images([images.table(p) for p in predictions], scored=True)
    candidates = [timed(lambda: [images.table(p) for p in predictions])[0] for _ in range(repeats)]
    del tables
    row = dict(
        images=len(predictions),
        ours_s=statistics.median(seconds for seconds, _ in ours),
        ours_with_known_object_s=statistics.median(both),
        of_which_candidates_s=statistics.median(candidates),
        process_peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
    )
    if loop_images is None or len(predictions) <= loop_images:
        row["loop_s"], theirs = images.loop(predictions)
        row |= dict(ratio=row["loop_s"] / row["ours_s"], max_difference=_hico_difference(images, ours[0][1], theirs))
    return row


def _hico_difference(images: Hico, ours: dict, theirs: dict) -> float:
    results = ours["default"]
    keys = zip(*(column.tolist() for column in images.coder.decode(results.classes)), strict=True)
    by_class = dict(zip(keys, results.ap.tolist(), strict=True))
    if by_class.keys() != theirs["ap"].keys():
        raise AssertionError("both sides disagree on the classes with ground truth")
    means = mean_results(results, images.rare)
    return max(
        *(abs(by_class[triplet] - ap) for triplet, ap in theirs["ap"].items()),
        *(abs(means[key] - theirs[key]) for key in ("full", "rare", "non_rare")),
    )


def vcoco_row(every: int, limit: int | None, settings: dict | None, repeats: int) -> dict[str, float]:
    """The same for V-COCO: all recovered training images, or a part."""
    roles, predictions, persons = vcoco_images(every, limit, settings)
    images, detections = persons_as_oracle(persons, len(predictions)), [pairs_as_oracle(p) for p in predictions]

    def evaluate():
        agents = stack_tables([_agents(p, roles) for p in predictions])
        return rank_vcoco(agents, persons, roles).tables()

    ours = [timed(evaluate) for _ in range(repeats)]
    loop_s, theirs = timed(lambda: oracle_vcoco.evaluate(images, detections, ACTIONS))
    ours_s = statistics.median(seconds for seconds, _ in ours)
    difference = max(
        np.nanmax(np.abs(ours[0][1][key] - np.array(list(theirs[key].values()))))
        for key in ("agent", "role_s1", "role_s2")
    )
    return dict(
        images=len(predictions), ours_s=ours_s, loop_s=loop_s, ratio=loop_s / ours_s, max_difference=float(difference)
    )


def vcoco_images(every: int, limit: int | None, settings: dict | None) -> tuple[VCOCORoles, list[dict], PersonTable]:
    """Names, simulated predictions and persons of recovered V-COCO training images."""
    roles, simulator = VCOCORoles(VERBS), load_simulator()
    split = str(DATA / "v_coco/vcoco_train_recovered.json.gz")
    truth = read_vcoco(split, str(DATA / "v_coco/instances_vcoco_recovered.json.gz"), roles)
    annotations = read("v_coco/vcoco_train_recovered_hoia.json.gz")
    indices = simulator.select(len(annotations), every, limit)
    predictions = [p for _, p in simulator.simulate(annotations, "vcoco", 0, settings, indices)]
    return roles, predictions, select_images(truth.persons, {i: n for n, i in enumerate(indices)})


def hico_errors_row() -> dict[str, float]:
    """The error breakdown of the full HICO-DET test set."""
    images = Hico()
    preds = stack_images([images.table(p) for p in images.predictions()], scored=True)
    gts = stack_images([images.truth(t) for t in images.truths], scored=False)
    num_boxes = np.array([len(t["boxes"]) for t in images.truths])
    return _errors_row(len(num_boxes), lambda: judge_triplets(preds, gts, num_boxes, images.coder))


def vcoco_errors_row() -> dict[str, float]:
    """The error breakdown of all recovered V-COCO training images with 100 pairs each."""
    roles, predictions, persons = vcoco_images(1, None, None)
    agents = stack_tables([_agents(p, roles) for p in predictions])
    num_images = len(predictions)
    del predictions
    return _errors_row(num_images, lambda: judge_roles(agents, persons, roles))


def _errors_row(num_images: int, judge: Callable) -> dict[str, float]:
    before = _resident_mib()
    judge_s, judged = timed(judge)
    break_down_s, errors = timed(lambda: break_down(judged))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10 - before
    gains = {f"gain_{row.name.replace(' ', '_')}": row.gain for row in (*errors.rows, *errors.limits)}
    row = dict(images=num_images, candidates=len(judged.preds), judge_s=judge_s, break_down_s=break_down_s)
    return row | dict(peak_mib=peak, value=errors.value) | gains


def _agents(p: dict, roles: VCOCORoles):
    sub, obj = p["boxes"][p["sub_ids"]], p["boxes"][p["obj_ids"]]
    return agents_from_pairs(sub, obj, p["labels"][p["obj_ids"]] != NO_OBJECT, p["verb_scores"], roles)


def metric_row() -> dict[str, float]:
    """The metric in a test run over the full set: CPU time of ``process`` per image, memory. In its own process."""
    images, metric = Hico(), HICODetMetric()
    metric.dataset_meta = images.metainfo
    times, before = [], _resident_mib()
    for n, (p, truth) in enumerate(zip(images.predictions(), images.truths, strict=True)):
        sample = HOIDataSample(metainfo=dict(img_id=n, img_path=f"{n}.jpg", gt_hois=truth))
        sub, obj = (torch.from_numpy(p["boxes"][p[ids]]) for ids in ("sub_ids", "obj_ids"))
        labels = torch.from_numpy(p["labels"][p["obj_ids"]])
        sample.pred_pairs = new_pairs(sub, obj, labels, verb_scores=torch.from_numpy(p["verb_scores"]))
        seconds, _ = timed(lambda sample=sample: metric.process({}, [sample]))
        times.append(seconds)
    kept = _resident_mib() - before
    arrays = sum(_bytes(record) for record in metric.results) / 2**20
    seconds, _ = timed(lambda: metric.evaluate(len(times)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10 - before
    return dict(
        images=len(times),
        process_ms_median=1e3 * statistics.median(times),
        process_ms_99th_percentile=1e3 * float(np.quantile(times, 0.99)),
        kept_arrays_mib=arrays,
        kept_mib=kept,
        peak_with_evaluation_mib=peak,
        evaluate_s=seconds,
    )


def _bytes(record: ImageRecord) -> int:
    columns = [getattr(t, name) for t in (record.preds, record.gts) for name in t.__dataclass_fields__]
    return sum(column.nbytes for column in columns if column is not None)


def _resident_mib() -> float:
    """Memory of this process (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def show(title: str, row: dict[str, float]) -> None:
    """One row of results as lines."""
    print(title)
    for name, value in row.items():
        print(
            f"  {name:28s}{value:14.3g}"
            if abs(value) < 1e-6 or isinstance(value, float)
            else f"  {name:28s}{value:14d}"
        )
    sys.stdout.flush()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loop-images", type=int, help="run the HICO-DET loop on sets up to this size only")
    parser.add_argument("--repeats", type=int, default=3, help="of our side; medians are printed")
    parser.add_argument("--only", choices=ROWS, help="one row")
    parser.add_argument("--metric-process", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.metric_process:
        print(json.dumps(metric_row()))
        return
    few_pairs = dict(num_pairs=40, max_gt_slots=30)
    rows = {
        "hico500": lambda: hico_row(19, 500, args.loop_images, args.repeats),
        "hico": lambda: hico_row(1, None, args.loop_images, args.repeats),
        "vcoco200": lambda: vcoco_row(10, 200, None, args.repeats),
        "vcoco": lambda: vcoco_row(1, None, few_pairs, args.repeats),
        "metric": lambda: _in_a_process_of_its_own(),
        "hico_errors": hico_errors_row,
        "vcoco_errors": vcoco_errors_row,
    }
    results = {}
    for name in [args.only] if args.only else rows:
        results[name] = rows[name]()
        show(name, results[name])
    print(json.dumps(results))


def _in_a_process_of_its_own() -> dict[str, float]:
    command = [sys.executable, __file__, "--metric-process"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
