"""Annotations of HoiTransformer and of fredzzhang/vcoco; what dead links leave of a file."""

import json

import pytest

from hqm_mmdet.datasets import AnnotationError, HICODetDataset, VCOCODataset, read_annotations
from hqm_mmdet.datasets.conversion import mat_entries, odgt_entries, vcoco_instances_entries
from tests.datasets.tiny_hoi import entry, read_compressed

HICO, VCOCO = HICODetDataset.METAINFO, VCOCODataset.METAINFO
TABLES = dict(hico=HICO, vcoco=VCOCO)


def test_odgt(cases_dir):
    entries = odgt_entries(cases_dir / "users/x_retag_hoitr.odgt", TABLES)
    boxes = [(1, 2, 31, 42, 1), (5, 6, 75, 86, 2)]  # x, y, w, h in the file; person, bicycle
    ride = HICO["verb_ids"][HICO["verbs"].index("ride")]
    names = [f"HICO_train2015_{n:08d}.jpg" for n in (1, 2, 3)]
    assert entries == [entry(name, boxes, [(0, 1, ride)]) for name in names]


def write_odgt(path, entries, table, **changes):
    """HOIA-style entries in HoiTransformer's form, COCO's names with spaces."""
    lines = []
    for item in entries:
        boxes = [
            dict(
                tag=table["classes"][table["category_ids"].index(b["category_id"])].replace("_", " "),
                box=[b["bbox"][0], b["bbox"][1], b["bbox"][2] - b["bbox"][0], b["bbox"][3] - b["bbox"][1]],
            )
            for b in item["annotations"]
        ]
        hois = [
            dict(
                subject_id=h["subject_id"],
                object_id=h["object_id"],
                interaction=table["verbs"][table["verb_ids"].index(h["category_id"])],
            )
            for h in item["hoi_annotation"]
        ]
        lines.append(
            json.dumps(dict(file_name=item["file_name"], width=9, height=9, gtboxes=boxes, hoi=hois) | changes)
        )
    path.write_text("\n".join(lines) + "\n")
    return path


def with_objects(entries, without=()):
    """Only HOIs that these formats know."""
    return [
        dict(
            item,
            hoi_annotation=[
                h
                for h in item["hoi_annotation"]
                if h["object_id"] >= 0 and VCOCO["verbs"][h["category_id"]] not in without
            ],
        )
        for item in entries
    ]


@pytest.fixture
def real(data_dir):
    """Real V-COCO annotations, HOIA-style."""
    return read_compressed(data_dir / "v_coco/vcoco_val_recovered_hoia.json.gz")[:200]


def test_real_vcoco_as_odgt_and_back(real, tmp_path):
    whole = with_objects(real)
    entries = odgt_entries(write_odgt(tmp_path / "a.odgt", whole, VCOCO), TABLES)
    for ours, theirs in zip(entries, whole, strict=True):
        assert ours["file_name"] == theirs["file_name"] and ours["hoi_annotation"] == theirs["hoi_annotation"]
        assert [b["category_id"] for b in ours["annotations"]] == [b["category_id"] for b in theirs["annotations"]]
        for a, b in zip(ours["annotations"], theirs["annotations"], strict=True):
            assert a["bbox"] == pytest.approx(b["bbox"], abs=1e-9)


def pairs(item):
    """HOIs by what they are, not by where their boxes stand."""
    boxes = [(*map(float, box["bbox"]), box["category_id"]) for box in item["annotations"]]
    hois = item["hoi_annotation"]
    return [(boxes[hoi["subject_id"]], boxes[hoi["object_id"]], hoi["category_id"]) for hoi in hois]


def test_real_vcoco_as_instances_and_back(real):
    actions = [verb for verb in VCOCO["verbs"] if verb.endswith(("_obj", "_instr")) and verb != "point_instr"]
    assert len(actions) == 24
    whole = with_objects(real, without=("point_instr",))
    annotations = [
        dict(
            file_name=item["file_name"],
            boxes_h=[list(subject[:4]) for subject, _, _ in pairs(item)],
            boxes_o=[list(obj[:4]) for _, obj, _ in pairs(item)],
            objects=[obj[4] for _, obj, _ in pairs(item)],
            actions=[actions.index(VCOCO["verbs"][verb]) for *_, verb in pairs(item)],
        )
        for item in whole
    ]
    content = dict(annotations=annotations, classes=[" ".join(a.rsplit("_", 1)) for a in actions], images=[])
    entries = vcoco_instances_entries(content, VCOCO, "instances_vcoco_val.json")
    assert [pairs(item) for item in entries] == [pairs(item) for item in whole]
    assert sum(map(len, map(pairs, entries))) > 400


@pytest.mark.parametrize(
    "changes, message",
    [
        (dict(gtboxes=3), "line 1: TypeError"),
        (dict(gtboxes=[dict(tag="person", box=[1, 2, 3])]), "a box is not four numbers"),
        (dict(hoi=[dict(subject_id=0, object_id=9, interaction="ride")]), "an HOI names a box that is not there"),
        (dict(gtboxes=[dict(tag="unicorn", box=[1, 2, 3, 4])], hoi=[]), "no data set has all its names .*unicorn"),
        (dict(hoi=[]), "several data sets have all its names"),
    ],
)
def test_bad_odgt(tmp_path, changes, message):
    path = write_odgt(tmp_path / "a.odgt", [entry("a.jpg", [(1, 2, 3, 4, 1)], [])], HICO, **changes)
    with pytest.raises(AnnotationError, match=message):
        odgt_entries(path, TABLES)


def test_bad_instances():
    with pytest.raises(AnnotationError, match="no instances file of fredzzhang/vcoco"):
        vcoco_instances_entries(dict(annotations=[]), VCOCO, "a.json")
    content = dict(annotations=[], classes=["ride horse"], images=[])
    with pytest.raises(AnnotationError, match=r"actions \['ride_horse'\] are not V-COCO's"):
        vcoco_instances_entries(content, VCOCO, "a.json")
    rows = dict(file_name="a.jpg", boxes_h=[[1, 2, 3, 4]], boxes_o=[], actions=[0], objects=[1])
    with pytest.raises(AnnotationError, match="image 0: ValueError"):
        vcoco_instances_entries(dict(annotations=[rows], classes=["hold obj"], images=[]), VCOCO, "a.json")


@pytest.mark.parametrize(
    "name, told", [("lfs.mat", "Git LFS pointer"), ("html.mat", "web page"), ("empty.mat", "file is empty")]
)
def test_what_dead_links_leave_is_told_as_a_truncated_file_is(cases_dir, name, told):
    with pytest.raises(
        AnnotationError,
        match=rf"{name}: no anno_bbox\.mat of HICO-DET .*{told}.*Copy it again from the HICO-DET archive",
    ):
        mat_entries(cases_dir / "users" / name, "test")


def test_annotation_files_are_told_by_what_they_look_like(cases_dir, tmp_path):
    for name, told in (
        ("x_retag_hoitr.odgt", r"to-hoia odgt"),
        ("trailing.json", "comma before .* is no JSON: take it out"),
    ):
        with pytest.raises(AnnotationError, match=told):
            read_annotations(cases_dir / "users" / name)
    (tmp_path / "a.json").write_text("[] text")
    with pytest.raises(AnnotationError, match="Something follows the end of the list: take it out"):
        read_annotations(tmp_path / "a.json")
    (tmp_path / "a.json").write_text(json.dumps(dict(images=[], annotations=[], categories=[])))
    with pytest.raises(AnnotationError, match="looks like a COCO file"):
        read_annotations(tmp_path / "a.json")
