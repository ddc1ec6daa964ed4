"""``hqm-mmdet to-hoia``, ``tools/dataset_converters/to_hoia.py``."""

import click

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

ODGT_TABLES = {
    "hico": HICODetDataset.METAINFO,
    "vcoco": VCOCODataset.METAINFO,
    "hoia": dict(HOIADataset.METAINFO, category_ids=range(1, 12), verb_ids=range(1, 11)),
}


def to_hoia(form: str, source: str, out: str, quiet: bool, **options) -> None:
    """Convert and write."""
    entries = CONVERTERS[form](source, progress=not quiet, **options)
    write_entries(out, entries)
    click.echo(f"wrote {out}: {summary(entries)}")


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
