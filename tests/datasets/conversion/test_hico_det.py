"""HICO-DET's two published formats, there and back."""

import gzip
import json

import numpy as np
import pytest
from scipy.io import savemat

from hqm_mmdet.datasets import AnnotationError, HICODetDataset
from hqm_mmdet.datasets.conversion import instances_entries, mat_entries
from hqm_mmdet.datasets.subsets import hico_triplets
from tests.datasets.tiny_hoi import entry

HOLD, CARRY, HUG = (HICODetDataset.METAINFO["verbs"].index(verb) + 1 for verb in ("hold", "carry", "hug"))
BOXES = [(1, 2, 40, 60, 1), (50, 20, 70, 40, 2), (20, 5, 45, 61, 1)]
ENTRIES = [
    entry("HICO_test2015_00000001.jpg", BOXES, [(0, 1, CARRY), (0, 1, HOLD), (0, 2, HUG), (2, 1, HOLD)]),
    entry("HICO_test2015_00000003.jpg", BOXES[:2], [(0, 1, HOLD)]),
]


def hoi_ids(item: dict) -> list[int]:
    """HOI id, 1 ... 600, of each HOI of an entry."""
    table, ids = HICODetDataset.METAINFO, {triplet: i for i, triplet in enumerate(hico_triplets(), 1)}
    boxes = item["annotations"]
    labels = [table["category_ids"].index(boxes[h["object_id"]]["category_id"]) for h in item["hoi_annotation"]]
    verbs = [table["verb_ids"].index(h["category_id"]) for h in item["hoi_annotation"]]
    return [ids[pair] for pair in zip(labels, verbs, strict=True)]


def pair_boxes(item: dict, key: str) -> list:
    return [item["annotations"][hoi[key]]["bbox"] for hoi in item["hoi_annotation"]]


def as_instances(entries: list[dict]) -> dict:
    """fredzzhang/hicodet's format; the second image has no pair."""
    rows = [
        dict(boxes_h=pair_boxes(e, "subject_id"), boxes_o=pair_boxes(e, "object_id"), hoi=[i - 1 for i in hoi_ids(e)])
        for e in entries
    ]
    names = [e["file_name"] for e in entries]
    nothing = dict(boxes_h=[], boxes_o=[], hoi=[])
    return dict(filenames=[names[0], "empty.jpg", *names[1:]], annotation=[rows[0], nothing, *rows[1:]], empty=[1])


def struct(rows: list[dict]) -> np.ndarray:
    """A MATLAB struct array, 1 x N."""
    array = np.empty((1, len(rows)), dtype=[(key, object) for key in rows[0]] if rows else [("x1", object)])
    for i, row in enumerate(rows):
        array[0, i] = tuple(row.values())
    return array


def box_struct(boxes: list) -> np.ndarray:
    return struct([dict(x1=float(x1), x2=float(x2), y1=float(y1), y2=float(y2)) for x1, y1, x2, y2 in boxes])


def write_mat(path, entries: list[dict], split="test") -> None:
    """anno_bbox.mat: per image and HOI class its boxes and connections; the last class of an image is invisible."""
    images = []
    for item in entries:
        people, things, ids = pair_boxes(item, "subject_id"), pair_boxes(item, "object_id"), hoi_ids(item)
        hois = []
        for i in dict.fromkeys(ids):
            rows = [k for k, each in enumerate(ids) if each == i]
            links = np.array([[n + 1, n + 1] for n in range(len(rows))], dtype=float)
            boxes = [box_struct([side[k] for k in rows]) for side in (people, things)]
            hois.append(dict(id=float(i), bboxhuman=boxes[0], bboxobject=boxes[1], connection=links, invis=0.0))
        none = np.zeros((0, 0))
        hois.append(dict(id=600.0, bboxhuman=none, bboxobject=none, connection=none, invis=1.0))
        images.append(dict(filename=item["file_name"], size=box_struct([(0, 0, 9, 9)]), hoi=struct(hois)))
    savemat(path, {f"bbox_{split}": struct(images)})


def test_instances(tmp_path):
    assert instances_entries(as_instances(ENTRIES)) == ENTRIES


def test_mat(tmp_path):
    write_mat(tmp_path / "anno_bbox.mat", ENTRIES)
    ordered = mat_entries(tmp_path / "anno_bbox.mat", "test")
    assert [item["file_name"] for item in ordered] == [item["file_name"] for item in ENTRIES]
    assert ordered[1] == ENTRIES[1]
    assert hoi_ids(ordered[0]) == sorted(hoi_ids(ENTRIES[0]), key=hoi_ids(ENTRIES[0]).index)  # grouped by HOI class
    assert sorted(map(str, pairs(ordered[0]))) == sorted(map(str, pairs(ENTRIES[0])))


def pairs(item: dict) -> list[tuple]:
    """HOIs by coordinates."""
    sides = (pair_boxes(item, key) for key in ("subject_id", "object_id"))
    return [*zip(*sides, (hoi["category_id"] for hoi in item["hoi_annotation"]), strict=True)]


@pytest.mark.parametrize("seed", range(20))
def test_no_pair_is_lost_or_changed(seed):
    """Whatever boxes coincide: HOIs keep their order and coordinates, and no box is listed twice or without need."""
    generator = np.random.default_rng(seed)
    corners = generator.integers(1, 4, (generator.integers(1, 30), 2, 2)) * 10  # few places, so boxes coincide
    boxes = np.concatenate([corners, corners + 7], axis=2).tolist()
    hois = generator.integers(0, 600, len(boxes)).tolist()
    rows = dict(boxes_h=[b[0] for b in boxes], boxes_o=[b[1] for b in boxes], hoi=hois)
    (item,) = instances_entries(dict(filenames=["a.jpg"], annotation=[rows]))
    assert hoi_ids(item) == [hoi + 1 for hoi in hois]
    assert [pair[:2] for pair in pairs(item)] == [tuple(pair) for pair in boxes]
    listed = [(*box["bbox"], box["category_id"]) for box in item["annotations"]]
    used = {hoi[key] for hoi in item["hoi_annotation"] for key in ("subject_id", "object_id")}
    assert len(listed) == len(set(listed)) and used == set(range(len(listed)))


@pytest.mark.parametrize("read", ["instances", "mat"])
def test_zero_based(tmp_path, read):
    write_mat(tmp_path / "a.mat", ENTRIES, "train")
    converted = (
        instances_entries(as_instances(ENTRIES), zero_based=True)
        if read == "instances"
        else mat_entries(tmp_path / "a.mat", "train", zero_based=True)
    )
    assert converted[1]["annotations"][0]["bbox"] == [0, 1, 39, 59]


def test_real_test_annotations_from_both_formats(data_dir, tmp_path):
    real = json.loads(gzip.decompress((data_dir / "hico_det/test_hico.json.gz").read_bytes()))
    assert instances_entries(as_instances(real)) == real
    write_mat(tmp_path / "anno_bbox.mat", real[:60])
    for converted, item in zip(mat_entries(tmp_path / "anno_bbox.mat", "test"), real[:60], strict=True):
        assert sorted(map(str, pairs(converted))) == sorted(map(str, pairs(item)))


@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda c: c.pop("annotation"), r"f\.json: no instances file of fredzzhang/hicodet"),
        (lambda c: c["annotation"][0].pop("hoi"), r"f\.json: HICO_test2015_00000001\.jpg: boxes_h, boxes_o and hoi"),
        (lambda c: c["annotation"][0]["hoi"].append(3), r"f\.json: HICO_test2015_00000001\.jpg: .* one length"),
        (lambda c: c["annotation"][0]["hoi"].__setitem__(0, 600), r"f\.json: .*00001\.jpg: HOI id 601, known are 1 "),
    ],
    ids=["key", "field", "length", "id"],
)
def test_bad_instances(spoil, message):
    content = as_instances(ENTRIES)
    spoil(content)
    with pytest.raises(AnnotationError, match=message):
        instances_entries(content, "f.json")


def test_bad_mat(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"nothing\.mat does not exist; anno_bbox\.mat is in the HICO-DET archive"
    ):
        mat_entries(tmp_path / "nothing.mat", "test")
    write_mat(tmp_path / "train.mat", ENTRIES, "train")
    with pytest.raises(AnnotationError, match=r"train\.mat: no anno_bbox\.mat of HICO-DET with bbox_test \(KeyError"):
        mat_entries(tmp_path / "train.mat", "test")
    (tmp_path / "text.mat").write_text("no MATLAB file at all, " * 20)
    with pytest.raises(AnnotationError, match=r"text\.mat: no anno_bbox\.mat of HICO-DET"):
        mat_entries(tmp_path / "text.mat", "test")
    with pytest.raises(ValueError, match="'val'"):
        mat_entries(tmp_path / "train.mat", "val")


def test_connection_without_box(tmp_path, monkeypatch):
    monkeypatch.setattr(f"{__name__}.box_struct", lambda boxes, make=box_struct: make(boxes[:1]))
    several = [entry("a.jpg", BOXES, [(0, 1, HOLD), (2, 1, HOLD)])]
    write_mat(tmp_path / "a.mat", several)
    with pytest.raises(AnnotationError, match=r"a\.mat: a\.jpg: a connection of HOI \d+ names a box that is not there"):
        mat_entries(tmp_path / "a.mat", "test")


def test_mat_files_with_values_of_another_type_are_one_message(tmp_path):
    box = dict(x1=1.0, x2=9.0, y1=1.0, y2=9.0)
    sound = dict(id=1, invis=0, bboxhuman=box, bboxobject=box, connection=[[1, 1]])
    for change in (
        dict(id="x"), dict(connection="ab"), dict(connection=[[1.0, np.nan]]), dict(bboxhuman=3), dict(bboxobject="x"),
        dict(bboxhuman=dict(box, x1="x")), dict(bboxhuman=dict(box, x1=np.nan)), dict(id=[]), dict(invis=[1, 2]),
    ):  # fmt: skip
        image = dict(filename="a.jpg", hoi=dict(sound, **change))
        savemat(tmp_path / "a.mat", dict(bbox_train=image))
        with pytest.raises(AnnotationError, match=r"a\.mat: (a\.jpg|no anno_bbox\.mat)"):
            mat_entries(tmp_path / "a.mat", "train")
