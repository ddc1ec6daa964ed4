"""tools/dataset_converters/to_hoia.py: files in, files out."""

import gzip
import json
import pickle

import numpy as np
import pytest

from hqm_mmdet.datasets import VCOCODataset, read_annotations
from tests.datasets.conversion.test_hico_det import ENTRIES, as_instances, write_mat
from tests.datasets.test_v_coco import prior
from tests.datasets.tiny_vcoco import write_vcoco

TOOL = "dataset_converters/to_hoia"


@pytest.mark.parametrize("split", ["train", "val"])
def test_real_vcoco(call, data_dir, tmp_path, split):
    folder = data_dir / "v_coco"
    sources = folder / f"vcoco_{split}_recovered.json.gz", folder / "instances_vcoco_recovered.json.gz"
    assert call(TOOL, "vcoco", *sources, "out.json.gz", "--quiet") == 0
    expected = gzip.decompress((folder / f"vcoco_{split}_recovered_hoia.json.gz").read_bytes())
    assert read_annotations(tmp_path / "out.json.gz") == json.loads(expected)


@pytest.mark.parametrize("given", [False, True])
def test_vcoco_table(call, tmp_path, capsys, given):
    write_vcoco(tmp_path)
    verbs = VCOCODataset.METAINFO["verbs"]
    (tmp_path / "prior.pickle").write_bytes(pickle.dumps(prior(verbs), 2))
    options = ["--corre", "table.npy", *(["--prior", "prior.pickle"] if given else [])]
    assert call(TOOL, "vcoco", "vcoco_tiny.json", "instances.json", "out.json", *options) == 0
    assert (np.load(tmp_path / "table.npy") == VCOCODataset.VALID_PAIRS).all()
    printed = capsys.readouterr().out
    assert "table.npy: 787 of 2320 verb-object" in printed and "out.json: 1 images, 2 boxes, 4 HOIs" in printed
    assert len(VCOCODataset(ann_file="out.json", corre_file="table.npy", data_root=str(tmp_path))) == 1


def test_hico_det(call, tmp_path):
    (tmp_path / "instances.json").write_text(json.dumps(as_instances(ENTRIES)))
    write_mat(tmp_path / "anno_bbox.mat", ENTRIES)
    assert (
        call(TOOL, "hicodet", "instances.json", "a.json")
        == call(TOOL, "hico-mat", "anno_bbox.mat", "test", "b.json")
        == 0
    )
    assert read_annotations("a.json") == ENTRIES and len(read_annotations("b.json")) == len(ENTRIES)
    assert call(TOOL, "hicodet", "instances.json", "a.json", "--zero-based", "--quiet") == 0
    assert read_annotations("a.json")[0]["annotations"][0]["bbox"] == [0, 1, 39, 59]


def test_hoi_a(call, data_dir, tmp_path):
    """Strings become integers, nothing else changes."""
    source = data_dir / "hoi_a/test_hoia.json.gz"
    assert call(TOOL, "hoi-a", source, "sub/test_hoia.json", "--quiet") == 0
    converted, original = read_annotations("sub/test_hoia.json"), read_annotations(source)
    assert all(type(box["category_id"]) is int for item in converted for box in item["annotations"])
    for item in converted:
        for box in item["annotations"]:
            box["category_id"] = str(box["category_id"])
    assert converted == original


def test_annotations_of_other_code_bases(call, cases_dir, tmp_path, capsys):
    source = cases_dir / "users/x_retag_hoitr.odgt"
    assert call(TOOL, "odgt", source, "a.json", "--quiet") == 0
    assert "wrote a.json: 3 images, 6 boxes, 3 HOIs" in capsys.readouterr().out
    assert call(TOOL, "odgt", source, "b.json", "--dataset", "vcoco") == 2
    assert "no data set has all its names (ride ...; bicycle, person ...)" in capsys.readouterr().err
    image = dict(file_name="a.jpg", boxes_h=[[0, 0, 5, 5]], boxes_o=[[1, 1, 9, 9]], actions=[0], objects=[18])
    content = dict(annotations=[image], classes=["ride instr"], images=[1])
    (tmp_path / "instances_vcoco_val.json").write_text(json.dumps(content))
    assert call(TOOL, "vcoco-instances", "instances_vcoco_val.json", "c.json", "--quiet") == 0
    assert read_annotations("c.json")[0]["hoi_annotation"] == [dict(subject_id=0, object_id=1, category_id=3)]


def spoiled(tmp_path):
    (tmp_path / "broken.json").write_text('[{"file_name"')
    (tmp_path / "entry.json").write_text('[{"file_name": "a.jpg", "annotations": [{"bbox": [1, 2, 3, 4]}]}]')
    write_vcoco(tmp_path)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("hoi-a", "nothing.json", "o.json"), "nothing.json does not exist (nor does nothing.json.gz;"),
        (("hoi-a", "broken.json", "o.json"), "broken.json: no readable JSON"),
        (("hoi-a", "entry.json", "o.json"), "entry.json: entry 0: KeyError 'category_id'"),
        (("vcoco", "instances.json", "vcoco_tiny.json", "o.json"), "instances.json: no official V-COCO labels"),
        (("hicodet", "vcoco_tiny.json", "o.json"), "vcoco_tiny.json: no instances file of fredzzhang/hicodet"),
        (("hico-mat", "nothing.mat", "test", "o.json"), "nothing.mat does not exist"),
        (("odgt", "nothing.odgt", "o.json"), "nothing.odgt does not exist"),
        (("vcoco-instances", "entry.json", "o.json"), "entry.json: no instances file of fredzzhang/vcoco"),
    ],
    ids=lambda value: "-".join(value[:2]) if isinstance(value, tuple) else "",
)
def test_bad_input_is_one_message_and_no_file(call, tmp_path, capsys, arguments, message):
    spoiled(tmp_path)
    assert call(TOOL, *arguments) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
    assert not list(tmp_path.glob("o.json*"))


def test_prior_without_table_is_a_usage_error(call, capsys):
    assert call(TOOL, "vcoco", "a", "b", "c", "--prior", "p") == 2
    assert "--prior needs --corre" in capsys.readouterr().err
