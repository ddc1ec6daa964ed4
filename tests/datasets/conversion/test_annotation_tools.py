"""Exports of annotation tools become HOIA-style files."""

import json

import pytest

from hqm_mmdet.datasets import HOIDataset, read_annotations
from hqm_mmdet.datasets.conversion import coco_images, cvat_images, label_studio_images
from hqm_mmdet.datasets.conversion.drawn import DrawnImage, entries_of, hois_of_group, names_of
from hqm_mmdet.datasets.problems import AnnotationError
from tests.cli.running import run

RIDE = [(0, 1, "ride")]
PERSON, BIKE = ((10.0, 20.0, 50.0, 80.0), "person"), ((0.0, 40.0, 60.0, 100.0), "bicycle")


def region(name, x, y, w, h, label, **value):
    """A Label Studio box in an image of 200 x 100, coordinates in percent."""
    value = dict(x=x, y=y, width=w, height=h, rotation=0, rectanglelabels=[label]) | value
    return dict(id=name, type="rectanglelabels", value=value, original_width=200, original_height=100)


def task(*results, image="/data/upload/1/0a1b2c3d-photo.jpg", **more):
    return dict(id=7, data={"image": image}, annotations=[dict(result=list(results)) | more])


def relation(direction, *labels, a="p", b="b"):
    return dict(type="relation", from_id=a, to_id=b, direction=direction, labels=list(labels))


BOXES = region("p", 5, 20, 20, 60, "person"), region("b", 0, 40, 30, 60, "bicycle")


@pytest.fixture
def studio(tmp_path):
    def read(*tasks, subject="person"):
        path = tmp_path / "export.json"
        path.write_text(json.dumps(tasks))
        return label_studio_images(path, subject)

    return read


@pytest.mark.parametrize(
    ("direction", "expected"), [("right", RIDE), ("left", [(1, 0, "ride")]), ("bi", RIDE)], ids=lambda x: str(x)
)
def test_label_studio(studio, direction, expected):
    (image,) = studio(task(*BOXES, relation(direction, "ride")))
    assert image == DrawnImage("photo.jpg", [PERSON, BIKE], expected)


def test_label_studio_takes_the_last_finished_annotation(studio):
    older = dict(result=[BOXES[0]], updated_at="2026-01-01T10:00:00Z")
    newer = dict(result=list(BOXES), updated_at="2026-01-02T10:00:00Z")
    given_up = dict(result=[], updated_at="2026-01-03T10:00:00Z", was_cancelled=True)
    images = studio(
        dict(data={"image": "a.jpg"}, annotations=[older, newer, given_up]),
        dict(data={"image": "b.jpg"}, annotations=[given_up]),
        dict(data={"image": "c.jpg"}),
    )
    assert [(image.name, len(image.boxes)) for image in images] == [("a.jpg", 2)]


def test_label_studio_verbs_without_an_object_and_between_persons(studio):
    other = region("b", 0, 40, 30, 60, "person")
    wave = dict(id="p", type="choices", value={"choices": ["wave"]})
    (image,) = studio(task(BOXES[0], other, wave, relation("bi", "hug", "greet")))
    assert image.hois == [(0, -1, "wave"), (0, 1, "hug"), (1, 0, "hug"), (0, 1, "greet"), (1, 0, "greet")]


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/data/local-files/?d=set%20a/photo.jpg", "set a/photo.jpg"),
        ("https://example.org/x/my%20photo.jpg?key=1", "my photo.jpg"),
        ("s3://bucket/0a1b2c3d-photo.jpg", "0a1b2c3d-photo.jpg"),
    ],
)
def test_label_studio_file_names(studio, address, name):
    assert studio(task(*BOXES, image=address))[0].name == name


def test_label_studio_turned_box(studio):
    """A quarter turn, clockwise about the upper left corner: the box hangs to its left."""
    (image,) = studio(task(region("p", 50, 10, 20, 60, "person", rotation=90)))
    assert image.boxes[0][0] == pytest.approx((40, 10, 100, 50))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (relation("right"), r"task 7: .*a relation has no label, which is its verb"),
        (relation("right", "ride", b="gone"), r"task 7: .*region gone, which is no labelled box"),
    ],
)
def test_label_studio_bad_relations(studio, bad, message):
    with pytest.raises(AnnotationError, match=message):
        studio(task(*BOXES, bad))


def test_label_studio_other_exports(studio):
    with pytest.raises(AnnotationError, match="no list of Label Studio's tasks"):
        studio({"image": "a.jpg", "label": []})


CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version>
<image id="0" name="a/photo.jpg" width="200" height="100">
 <box label="person" xtl="10" ytl="20" xbr="50" ybr="80" group_id="3"><attribute name="verbs"></attribute></box>
 <box label="bicycle" xtl="0" ytl="40" xbr="60" ybr="100" group_id="3"><attribute name="verbs">{verbs}</attribute></box>
 <box label="person" xtl="70" ytl="20" xbr="90" ybr="80"><attribute name="verbs">wave</attribute></box>
 <polygon label="road" points="0,0;1,1" group_id="3"/>
</image>
<image id="1" name="b.jpg" width="200" height="100"></image>
</annotations>"""


def test_cvat(tmp_path):
    path = tmp_path / "annotations.xml"
    path.write_text(CVAT.format(verbs="ride, hold"))
    first, second = cvat_images(path)
    assert first.name == "a/photo.jpg" and first.boxes[:2] == [PERSON, BIKE]
    assert first.hois == [(0, 1, "ride"), (0, 1, "hold"), (2, -1, "wave")]
    assert second == DrawnImage("b.jpg")
    path.write_text(CVAT.format(verbs="ride").replace('label="person" xtl="10"', 'label="dog" xtl="10"'))
    with pytest.raises(AnnotationError, match=r"image a/photo.jpg: .*a group has verbs and no person who does them"):
        cvat_images(path)
    path.write_text("<annotations><version>1.1</version></annotations>")
    with pytest.raises(AnnotationError, match="no <image>"):
        cvat_images(path)
    path.write_text("[]")
    with pytest.raises(AnnotationError, match="no XML"):
        cvat_images(path)


def test_exports_in_the_place_of_annotations_are_told(tmp_path):
    for name, text in (("cvat", CVAT), ("label-studio", json.dumps([task(*BOXES)])[:-1])):
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(AnnotationError, match=f"to-hoia {name}"):
            read_annotations(tmp_path / "a.json")


def test_cvat_turned_box(tmp_path):
    path = tmp_path / "annotations.xml"
    path.write_text(CVAT.replace('xbr="50"', 'xbr="50" rotation="90"').format(verbs="ride"))
    assert cvat_images(path)[0].boxes[0][0] == pytest.approx((0, 30, 60, 70))


def coco(attributes=({}, {}), **more):
    boxes = [10, 20, 40, 60], [0, 40, 60, 60]
    annotations = [
        dict(id=11 + i, image_id=5, category_id=i + 1, bbox=box, attributes=given)
        for i, (box, given) in enumerate(zip(boxes, attributes, strict=True))
    ]
    categories = [dict(id=1, name="person"), dict(id=2, name="bicycle")]
    return dict(images=[dict(id=5, file_name="a.jpg")], annotations=annotations, categories=categories) | more


@pytest.mark.parametrize(
    ("content", "hois"),
    [
        (coco(relations=[dict(subject_id=11, object_id=12, verb="ride")]), RIDE),
        (coco(relations=[dict(subject_id=11, object_id=None, verb="wave")]), [(0, -1, "wave")]),
        (coco(({"group_id": 2}, {"group_id": 2, "verbs": "ride"})), RIDE),
        (coco(({"group": "x", "verb": ""}, {"group": "x", "verb": ["ride"]})), RIDE),
    ],
    ids=("relation", "no object", "group_id", "group"),
)
def test_coco(tmp_path, content, hois):
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(content))
    assert coco_images(path) == [DrawnImage("a.jpg", [PERSON, BIKE], hois)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (coco(), "boxes without interactions"),
        (coco(relations=[dict(subject_id=11, object_id=99, verb="ride")]), "KeyError 99"),
        (coco(relations=[dict(subject_id=11, object_id=12)]), "verb"),
        ([], "no COCO file"),
    ],
)
def test_bad_coco(tmp_path, content, message):
    path = tmp_path / "coco.json"
    path.write_text(json.dumps(content))
    with pytest.raises(AnnotationError, match=message):
        coco_images(path)


@pytest.mark.parametrize(
    ("labels", "verbs", "hois"),
    [
        (["person", "person", "cup"], [[], [], ["hold"]], [(0, 2, "hold"), (1, 2, "hold")]),
        (["person", "person"], [[], ["hug"]], [(0, 1, "hug")]),
        (["person"], [["wave", "jump"]], [(0, -1, "wave"), (0, -1, "jump")]),
        (["person", "cup"], [[], []], []),
        (["cup"], [[]], []),
    ],
)
def test_groups(labels, verbs, hois):
    members = list(range(len(labels)))
    assert hois_of_group(members, labels, dict(zip(members, verbs, strict=True)), "person") == hois


def test_unknown_names_are_told():
    images = [DrawnImage("a.jpg", [PERSON, BIKE], RIDE)]
    assert names_of(images, "person") == dict(classes=["person", "bicycle"], verbs=["ride"])
    with pytest.raises(AnnotationError, match="the names have no classes bicycle"):
        entries_of(images, dict(classes=["person"], verbs=["ride"]), "x.json")


def test_command_writes_names_once_and_a_data_set_reads_both(tmp_path, capsys):
    source = tmp_path / "annotations.xml"
    source.write_text(CVAT.format(verbs="ride"))
    assert run("to-hoia", "cvat", source, tmp_path / "train.json") == 0
    printed = capsys.readouterr().out
    assert "names.json: 2 classes, 2 verbs" in printed and "train.json: 2 images, 3 boxes, 2 HOIs" in printed
    dataset = HOIDataset(ann_file=str(tmp_path / "train.json"), names_file=str(tmp_path / "names.json"), pipeline=[])
    assert dataset.metainfo["classes"] == ("person", "bicycle") and len(dataset) == 2
    source.write_text(CVAT.format(verbs="ride,repair"))
    assert run("to-hoia", "cvat", source, tmp_path / "test.json") == 2
    assert "the names have no verbs repair. Add them to the file of --names" in capsys.readouterr().err
