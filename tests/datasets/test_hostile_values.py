"""Values that JSON and NumPy files can hold and no data set does: one error that names file and entry."""

import json

import numpy as np
import pytest

from hqm_mmdet.datasets import AnnotationError
from hqm_mmdet.datasets.annotations import read_json
from hqm_mmdet.datasets.class_tables import load_rare_triplets, load_valid_pairs
from hqm_mmdet.datasets.detection_files import ClassMap, DetectionError, read_detections
from hqm_mmdet.datasets.toy_hoi import ToyHOIDataset
from hqm_mmdet.utils.untrusted_values import parse_json, read_npy, require_numbers
from tests.datasets.tiny_hoi import BOXES, build, entry, write_dataset

DEEP = "[" * 100_000


def test_deeply_nested_json(tmp_path):
    (tmp_path / "deep.json").write_text(DEEP + "]" * 100_000)
    for read in (read_json, lambda path: load_rare_triplets(path, [1], [1])):
        with pytest.raises(AnnotationError, match="deep.json.*nested too deeply"):
            read(tmp_path / "deep.json")
    with pytest.raises(DetectionError, match="deep.json.*nested too deeply"):
        read_detections(tmp_path / "deep.json", ["a.jpg"], ClassMap([1]))


def test_integers_of_thousands_of_digits():
    with pytest.raises(ValueError, match="digits"):
        parse_json("[" + "1" * 5000 + "]")


@pytest.mark.parametrize("training", (True, False))
def test_integers_beyond_every_array(tmp_path, training):
    """Training drops or clips the box and counts it; evaluation takes it as it is."""
    arguments = write_dataset(tmp_path, [entry("a.png", [*BOXES, (10**30, 5, 10**30 + 10**20, 40, 1)])])
    dataset = build(**arguments, test_mode=not training, **({} if training else dict(vocabulary_ann_file="train.json")))
    assert len(dataset) == 1 and dataset[0] is not None


def test_huge_integer_annotations_in_training(robust_dir, tmp_path):
    entries = json.loads((robust_dir / "huge_integer_annotations.json").read_text())
    for each in entries:
        each["file_name"] = each["file_name"].replace("/", "_")
    arguments = write_dataset(tmp_path, entries)
    names = {key: ToyHOIDataset.METAINFO[key] for key in ("classes", "verbs")}
    dataset = build(**dict(arguments, metainfo=names))
    assert all(dataset[i] is not None for i in range(len(dataset)))


@pytest.mark.parametrize(
    "change, message",
    (
        (lambda e: e["annotations"][0].update(bbox=[True, 0, 9, 9]), r"annotations\[0\]: bbox=\[True.*four numbers"),
        (lambda e: e["annotations"][0].update(bbox=[10**400, 0, 9, 9]), r"annotations\[0\]: bbox=.*four numbers"),
        (lambda e: e["annotations"][0].update(category_id=True), "unknown id True"),
        (lambda e: e["hoi_annotation"][0].update(subject_id=True), "subject_id=True, .*expected integers"),
        (lambda e: e["hoi_annotation"][0].update(object_id=False), "object_id=False, expected integers"),
        (lambda e: e["hoi_annotation"][0].update(category_id=[[1]]), r"unknown id \[\[1\]\]"),
        (lambda e: e.update(file_name=["a.png"]), "'file_name' is no str"),
        (lambda e: e.update(annotations={}), "'annotations' is no list"),
    ),
)
@pytest.mark.parametrize("training", (True, False))
def test_values_of_other_types(tmp_path, change, message, training):
    arguments = write_dataset(tmp_path, [entry("a.png")])
    file = next(tmp_path.rglob("train.json"))
    entries = json.loads(file.read_text())
    change(entries[0])
    file.write_text(json.dumps(entries))
    with pytest.raises(AnnotationError, match=rf"train\.json: entry 0 .*{message}"):
        build(**arguments, test_mode=not training, **({} if training else dict(vocabulary_ann_file="train.json")))


def test_no_annotation_at_all(tmp_path):
    with pytest.raises(AnnotationError, match=r"train\.json: no image is left of 0 usable ones; .*check-data"):
        build(**write_dataset(tmp_path, []))


def test_tables_that_are_no_arrays(tmp_path):
    np.savez(tmp_path / "archive.npz", a=np.zeros(3))
    (tmp_path / "archive.npz").rename(tmp_path / "archive.npy")
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save(tmp_path / "text.npy", np.array(["a"]))
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000), }".ljust(117) + b"\n"
    (tmp_path / "terabytes.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    (tmp_path / "empty.npy").write_bytes(b"")
    for name in ("archive", "objects", "text", "terabytes", "empty"):
        with pytest.raises(AnnotationError, match=f"{name}.npy: .*remove it to have the table derived"):
            load_valid_pairs(tmp_path / f"{name}.npy", 3, 4)
    np.save(tmp_path / "sound.npy", np.ones((3, 4)))
    assert load_valid_pairs(tmp_path / "sound.npy", 3, 4).all() and read_npy(tmp_path / "sound.npy").shape == (3, 4)


def test_booleans_are_no_numbers():
    require_numbers([1, [2.5, "3"]], "x")
    for values in (True, [1, False], [[1], [[True]]]):
        with pytest.raises(ValueError, match="x is (true|false), no number"):
            require_numbers(values, "x")
