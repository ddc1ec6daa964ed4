#!/usr/bin/env python
"""Evaluate a prediction file, of this or another code base: ``eval_predictions.py FILE --dataset hico --ann-file F``.

FILE: a JSON list of {file_name, predictions, hoi_prediction} (the field's format), a pickle of mmengine's DumpResults
(tools/test.py --out), QPIC's list of predictions, or V-COCO's official list of detections. See docs/evaluation.md.
"""

import argparse
import json
import math
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if (ROOT / "hqm_mmdet").is_dir():  # a checkout runs its own package, installed or not
    sys.path.insert(0, str(ROOT))

from hqm_mmdet.evaluation.offline import DATASETS, evaluate_file, load_evaluation_set
from hqm_mmdet.utils.atomic_io import write_atomically
from hqm_mmdet.utils.launch import UsageError, run_tool


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="predictions (.json, .json.gz, .pkl, .pickle)")
    parser.add_argument("--dataset", choices=sorted(DATASETS), required=True)
    parser.add_argument(
        "--ann-file", required=True, help="annotations of the split, HOIA-style or official vcoco_*.json"
    )
    parser.add_argument("--coco-file", nargs="+", help="COCO instances file(s), with official V-COCO annotations")
    parser.add_argument(
        "--protocol", help="hico: qpic (default), ppdm, matlab, pocket; vcoco: official (default), official_masked"
    )
    parser.add_argument("--zero-shot", metavar="SPLIT", help="hico: also report seen and unseen, e.g. rare_first")
    parser.add_argument("--pair-nms", action="store_true", help="hico: drop repeated triplets as CDN does")
    parser.add_argument("--json", metavar="OUT", help="write {metric: number} (null: no class with ground truth)")
    parser.add_argument(
        "--bootstrap", type=int, default=0, metavar="N", help="resamples for 95 %% confidence intervals"
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of every error")
    return parser.parse_args()


def main(args: argparse.Namespace) -> None:
    """Evaluate as the arguments say."""
    options = dict(bootstrap=args.bootstrap)
    if args.pair_nms:
        if args.dataset != "hico":
            raise UsageError("--pair-nms is for HICO-DET.")
        options["pair_nms"] = {}
    try:
        images = load_evaluation_set(
            args.dataset, args.ann_file, args.coco_file, args.protocol, args.zero_shot, **options
        )
    except ValueError as error:
        raise UsageError(str(error)) from error
    result = evaluate_file(args.file, images)
    print(result.table)
    if result.missing:
        print(
            f"warning: {len(result.missing)} of {len(images.file_names)} images have no prediction; their ground truth "
            f"counts as not found. First: {result.missing[0]}",
            file=sys.stderr,
        )
    if args.json:
        numbers = {key: None if math.isnan(value) else value for key, value in result.metrics.items()}
        write_atomically(args.json, (json.dumps(numbers, indent=1) + "\n").encode())


if __name__ == "__main__":
    arguments = parse_args()
    sys.exit(run_tool(main, arguments))
