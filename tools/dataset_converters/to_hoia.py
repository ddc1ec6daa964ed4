#!/usr/bin/env python
"""Convert published annotations to the HOIA-style files that all data sets here are read from.

Examples:
    to_hoia.py vcoco vcoco_trainval.json instances_vcoco_all_2014.json data/v-coco/annotations/trainval_vcoco.json
    to_hoia.py hicodet instances_test2015.json data/hico_20160224_det/annotations/test_hico.json
    to_hoia.py hico-mat anno_bbox.mat train data/hico_20160224_det/annotations/trainval_hico.json --zero-based
    to_hoia.py hoi-a test_2019.json test_hoia.json
    to_hoia.py odgt vcoco_trainval_retag_hoitr.odgt trainval.json
    to_hoia.py vcoco-instances instances_vcoco_trainval.json trainval.json

A name that ends with .gz is written compressed. Files appear when they are complete.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # a checkout runs its own package, installed or not

from hqm_mmdet.datasets import HICODetDataset, HOIADataset, VCOCODataset, read_annotations
from hqm_mmdet.datasets.annotations import read_json
from hqm_mmdet.datasets.conversion import (
    hoia_entries,
    instances_entries,
    mat_entries,
    odgt_entries,
    summary,
    vcoco_entries,
    vcoco_instances_entries,
    vcoco_valid_pairs,
    write_entries,
    write_valid_pairs,
)
from hqm_mmdet.utils.launch import run_tool

HOIA = HOIADataset.METAINFO
ODGT_TABLES = {
    "hico": HICODetDataset.METAINFO,
    "vcoco": VCOCODataset.METAINFO,
    "hoia": dict(HOIA, category_ids=range(1, 12), verb_ids=range(1, 11)),
}


def convert_vcoco(args: argparse.Namespace) -> list[dict]:
    """Official V-COCO; with ``--corre`` also the verb-object table."""
    verbs = VCOCODataset.METAINFO["verbs"]
    if args.corre:
        table = vcoco_valid_pairs(args.prior, verbs) if args.prior else VCOCODataset.VALID_PAIRS
        write_valid_pairs(args.corre, table)
        print(f"wrote {args.corre}: {table.sum()} of {table.size} verb-object combinations")
    contents = read_json(args.labels), read_json(args.instances)
    return vcoco_entries(*contents, verbs, (args.labels, args.instances), not args.quiet)


def convert_hicodet(args: argparse.Namespace) -> list[dict]:
    """HICO-DET as JSON."""
    return instances_entries(read_json(args.instances), args.instances, args.zero_based, not args.quiet)


def convert_hico_mat(args: argparse.Namespace) -> list[dict]:
    """HICO-DET as published."""
    return mat_entries(args.mat, args.split, args.zero_based, not args.quiet)


def convert_hoi_a(args: argparse.Namespace) -> list[dict]:
    """HOI-A as published."""
    return hoia_entries(read_annotations(args.annotations), args.annotations, not args.quiet)


def convert_odgt(args: argparse.Namespace) -> list[dict]:
    """HoiTransformer's annotations."""
    tables = {args.dataset: ODGT_TABLES[args.dataset]} if args.dataset else ODGT_TABLES
    return odgt_entries(args.annotations, tables, not args.quiet)


def convert_vcoco_instances(args: argparse.Namespace) -> list[dict]:
    """V-COCO as JSON."""
    content = read_json(args.instances)
    return vcoco_instances_entries(content, VCOCODataset.METAINFO, args.instances, not args.quiet)


def parse_args() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    formats = parser.add_subparsers(dest="format", required=True, metavar="FORMAT")

    def add(name: str, convert, description: str) -> argparse.ArgumentParser:
        sub = formats.add_parser(name, help=description, description=description)
        sub.set_defaults(convert=convert)
        return sub

    vcoco = add("vcoco", convert_vcoco, "official V-COCO labels and a COCO instances file")
    vcoco.add_argument("labels", help="vcoco_trainval.json, vcoco_test.json ...")
    vcoco.add_argument("instances", help="COCO instances that hold the images")
    vcoco.add_argument("--corre", metavar="FILE", help="also write the verb-object table, corre_vcoco.npy")
    vcoco.add_argument("--prior", metavar="FILE", help="take that table from VSGNet's prior.pickle, not from the rules")
    hicodet = add(
        "hicodet", convert_hicodet, "instances_train2015.json or instances_test2015.json of fredzzhang/hicodet"
    )
    hicodet.add_argument("instances")
    mat = add("hico-mat", convert_hico_mat, "anno_bbox.mat of HICO-DET")
    mat.add_argument("mat")
    mat.add_argument("split", choices=("train", "test"))
    for sub in (hicodet, mat):
        sub.add_argument("--zero-based", action="store_true", help="subtract 1 from coordinates (PPDM's training file)")
    hoi_a = add("hoi-a", convert_hoi_a, "train_2019.json or test_2019.json of HOI-A")
    hoi_a.add_argument("annotations")
    odgt = add("odgt", convert_odgt, "annotations of HoiTransformer (.odgt)")
    odgt.add_argument("annotations")
    odgt.add_argument("--dataset", choices=list(ODGT_TABLES), help="default: the one that has all names of the file")
    instances = add("vcoco-instances", convert_vcoco_instances, "instances_vcoco_*.json of fredzzhang/vcoco")
    instances.add_argument("instances")
    for sub in (vcoco, hicodet, mat, hoi_a, odgt, instances):
        sub.add_argument("out", help="annotation file to write")
        sub.add_argument("--quiet", action="store_true", help="no progress bar")
        sub.add_argument("--debug", action="store_true", help="show the traceback of every error")
    args = parser.parse_args()
    if args.format == "vcoco" and args.prior and not args.corre:
        parser.error("--prior needs --corre, the file to write its table to")
    return args


def main(args: argparse.Namespace) -> None:
    """Convert and write."""
    entries = args.convert(args)
    write_entries(args.out, entries)
    print(f"wrote {args.out}: {summary(entries)}")


if __name__ == "__main__":
    arguments = parse_args()
    sys.exit(run_tool(main, arguments))
