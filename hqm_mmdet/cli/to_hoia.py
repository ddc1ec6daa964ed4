"""``hqm-mmdet to-hoia``, ``tools/dataset_converters/to_hoia.py``."""

import json
from collections.abc import Callable
from pathlib import Path

import click

from hqm_mmdet.datasets import HICODetDataset, HOIADataset, VCOCODataset, read_annotations
from hqm_mmdet.datasets.annotations import read_json
from hqm_mmdet.datasets.class_tables import load_names
from hqm_mmdet.datasets.conversion import (
    coco_images,
    cvat_images,
    entries_of,
    hoia_entries,
    instances_entries,
    label_studio_images,
    mat_entries,
    names_of,
    odgt_entries,
    summary,
    vcoco_entries,
    vcoco_instances_entries,
    vcoco_valid_pairs,
    write_entries,
    write_valid_pairs,
)
from hqm_mmdet.utils.atomic_io import write_atomically

ODGT_TABLES = {
    "hico": HICODetDataset.METAINFO,
    "vcoco": VCOCODataset.METAINFO,
    "hoia": dict(HOIADataset.METAINFO, category_ids=range(1, 12), verb_ids=range(1, 11)),
}


def to_hoia(form: str, source: str, out: str, quiet: bool, **options) -> None:
    """Convert and write."""
    if form in TOOLS:
        entries = convert_drawn(TOOLS[form], source, out, **options)
    else:
        entries = CONVERTERS[form](source, progress=not quiet, **options)
    write_entries(out, entries)
    click.echo(f"wrote {out}: {summary(entries)}")


def convert_drawn(read: Callable, source: str, out: str, names: str | None, subject: str) -> list[dict]:
    """What people drew; the names are those of a file that is there, else of the annotations, and written."""
    images = read(source, subject)
    file = Path(names or Path(out).with_name("names.json"))
    if file.is_file():
        known = load_names(file)
    else:
        known = names_of(images, subject)
        write_atomically(file, json.dumps(known, indent=1).encode())
        click.echo(f"wrote {file}: {len(known['classes'])} classes, {len(known['verbs'])} verbs")
    return entries_of(images, known, source)


def convert_vcoco(labels: str, instances: str, corre: str | None, prior: str | None, progress: bool) -> list[dict]:
    """Official V-COCO; with ``corre`` also the verb-object table."""
    verbs = VCOCODataset.METAINFO["verbs"]
    if corre:
        table = vcoco_valid_pairs(prior, verbs) if prior else VCOCODataset.VALID_PAIRS
        write_valid_pairs(corre, table)
        click.echo(f"wrote {corre}: {table.sum()} of {table.size} verb-object combinations")
    return vcoco_entries(read_json(labels), read_json(instances), verbs, (labels, instances), progress)


def convert_hicodet(instances: str, zero_based: bool, progress: bool) -> list[dict]:
    """HICO-DET as JSON."""
    return instances_entries(read_json(instances), instances, zero_based, progress)


def convert_hico_mat(mat: str, split: str, zero_based: bool, progress: bool) -> list[dict]:
    """HICO-DET as published."""
    return mat_entries(mat, split, zero_based, progress)


def convert_hoi_a(annotations: str, progress: bool) -> list[dict]:
    """HOI-A as published."""
    return hoia_entries(read_annotations(annotations), annotations, progress)


def convert_odgt(annotations: str, dataset: str | None, progress: bool) -> list[dict]:
    """HoiTransformer's annotations."""
    tables = {dataset: ODGT_TABLES[dataset]} if dataset else ODGT_TABLES
    return odgt_entries(annotations, tables, progress)


def convert_vcoco_instances(instances: str, progress: bool) -> list[dict]:
    """V-COCO as JSON."""
    return vcoco_instances_entries(read_json(instances), VCOCODataset.METAINFO, instances, progress)


CONVERTERS = {
    "vcoco": convert_vcoco,
    "hicodet": convert_hicodet,
    "hico-mat": convert_hico_mat,
    "hoi-a": convert_hoi_a,
    "odgt": convert_odgt,
    "vcoco-instances": convert_vcoco_instances,
}
TOOLS = {"label-studio": label_studio_images, "cvat": cvat_images, "coco-hois": coco_images}
