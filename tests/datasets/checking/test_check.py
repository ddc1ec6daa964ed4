"""Every kind of problem is found, where it is, and nothing else."""

import itertools
import json
import math

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from hqm_mmdet.datasets import AnnotationError, HICODetDataset, HOIADataset
from hqm_mmdet.datasets.checking import (
    ERROR,
    KINDS,
    LEVELS,
    SUSPICIOUS,
    WARNING,
    CheckedEntry,
    SplitReport,
    check_dataset,
)
from hqm_mmdet.datasets.checking.sources import datasets_of_config, datasets_of_files
from hqm_mmdet.datasets.checking.suspicious import find_suspicious
from hqm_mmdet.evaluation.offline import evaluate_file, load_evaluation_set
from hqm_mmdet.registry import DATASETS
from tests.datasets.tiny_hoi import BOXES, METAINFO, build, entry, write_dataset, write_image

IMAGE = (96, 80)  # width, height of the tiny images
SOUND = entry("a.png", BOXES, [(0, 1, 1), (0, 2, 1), (0, -1, 3)])


def check(tmp_path, *entries, skip=(), images=True, **options):
    """Report on a data set of these entries, whose images exist unless their name is in ``skip``."""
    arguments = write_dataset(tmp_path / "data", entries)
    for name in skip:
        (tmp_path / "data/images" / name).unlink()
    dataset = build(**arguments, lazy_init=True, pipeline=[], **options)
    return check_dataset(dict(train=dataset), images, progress=False)[0]


def found(report):
    """(level, kind) and place of every problem."""
    return [(problem.level, problem.kind, problem.place) for problem in report.problems]


def test_a_sound_data_set(tmp_path):
    report = check(tmp_path, SOUND, entry("b.png", BOXES[:1], []))
    assert report.problems == []
    s = report.statistics
    assert (s.images, s.images_with_pairs, s.pairs, s.hois_without_object, s.most_boxes) == (2, 1, 3, 1, 3)
    assert s.boxes == dict(person=2, ball=1, cup=1) and s.hois == dict(hold=2, wave=1)
    assert s.triplets == {"hold ball": 1, "hold cup": 1, "wave": 1} and s.smallest_image == s.largest_image == IMAGE


def with_box(box):
    return entry("a.png", [BOXES[0], (*box, 7)], [(0, -1, 3)])


PROBLEMS = [
    (ERROR, "bad box, NaN or infinite coordinate", with_box((1, 2, math.nan, 4)), "annotations[1].bbox"),
    (ERROR, "bad box, x2 <= x1 or y2 <= y1", with_box((9, 2, 9, 4)), "[9, 2, 9, 4]"),
    (ERROR, "box outside of the image", with_box((96, 2, 99, 4)), "96 x 80 pixels"),
    (WARNING, "box leaves the image", with_box((5, 2, 98, 4)), "96 x 80 pixels"),
    (WARNING, "box repeated", entry("a.png", [*BOXES, BOXES[1]], [(0, 1, 1)]), "annotations[1] and [3]"),
    (ERROR, "pair out of range", entry("a.png", BOXES, [(0, 3, 1)]), "object_id=3, the image has 3 boxes"),
    (ERROR, "pair out of range", entry("a.png", BOXES, [(-1, 1, 1)]), "subject_id=-1"),
    (WARNING, "HOI repeated", entry("a.png", BOXES, [(0, 1, 1), (0, 2, 1), (0, 1, 1)]), "hoi_annotation[0] and [2]"),
    (WARNING, "subject is its own object", entry("a.png", BOXES, [(0, 0, 1)]), "hoi_annotation[0]: box 0"),
    (WARNING, "unusual subject class", entry("a.png", BOXES, [(1, 0, 1)]), "hoi_annotation[0]: ball"),
    (WARNING, "many boxes", entry("a.png", [(i, 0, i + 9, 9, 1) for i in range(6)], []), "6 boxes, training keeps 5"),
]


@pytest.mark.parametrize("level, kind, item, detail", PROBLEMS, ids=[f"{i}-{p[1]}" for i, p in enumerate(PROBLEMS)])
def test_one_problem(tmp_path, level, kind, item, detail):
    report = check(tmp_path, dict(SOUND, file_name="sound.png"), item, max_boxes=5)
    assert found(report) == [(level, kind, "entry 1 (a.png)")]
    assert detail in report.problems[0].detail


def test_every_bad_row_of_an_entry_is_listed(tmp_path):
    bad = entry("a.png", [*BOXES, (1, 1, 5, 5, 99), (1, 1, 5, 5, "x")], [(0, 1, 9), (0, 1, 1), (0, 0.5, 1)])
    del bad["annotations"][1]["bbox"]
    report = check(tmp_path, bad)
    assert {kind for _, kind, _ in found(report)} == {"unreadable entry, unknown id or wrong type"}
    details = [problem.detail for problem in report.problems]
    for part in (
        "annotations[1]: no key 'bbox'",
        "annotations[3].category_id: unknown id 99",
        "annotations[4].category_id: unknown id 'x'",
        "hoi_annotation[0].category_id: unknown id 9",
        "hoi_annotation[2]: subject_id=0, object_id=0.5, expected integers",
    ):
        assert sum(detail.startswith(part) for detail in details) == 1
    assert len(details) == 5 and report.statistics.boxes == dict(person=1, cup=1)


def test_entries_without_their_parts(tmp_path):
    no_hois = entry("b.png")
    del no_hois["hoi_annotation"]
    report = check(tmp_path, SOUND, no_hois, skip=["b.png"])
    (tmp_path / "data/train.json").write_text(json.dumps([no_hois, ["no entry"]]))
    dataset = build(
        "HOIDataset", ann_file="train.json", data_root=str(tmp_path / "data"), metainfo=METAINFO, lazy_init=True
    )
    report = check_dataset(dict(train=dataset), images=False, progress=False)[0]
    assert [(p.place, p.detail.split(".")[0]) for p in report.problems] == [
        ("entry 0", "no key 'hoi_annotation'"),
        ("entry 1", "no key 'file_name'"),
    ]


def test_missing_and_unreadable_images(tmp_path):
    entries = [entry(f"{name}.png") for name in "abc"]
    write_dataset(tmp_path / "data", entries)
    report = check(tmp_path, *entries, skip=["a.png"])
    assert found(report) == [(ERROR, "image missing", "entry 0 (a.png)")]
    path = tmp_path / "data/images/b.png"
    path.write_bytes(path.read_bytes()[:300])
    dataset = build(**write_dataset_arguments(tmp_path), lazy_init=True, pipeline=[])
    report = check_dataset(dict(train=dataset), progress=False)[0]
    assert [kind for _, kind, _ in found(report)] == ["image missing", "image unreadable"]
    assert check_dataset(dict(train=dataset), images=False, progress=False)[0].problems == []


def write_dataset_arguments(tmp_path):
    root = tmp_path / "data"
    return dict(ann_file="train.json", data_root=str(root), data_prefix=dict(img="images"), metainfo=METAINFO)


def test_an_image_may_be_listed_once(tmp_path):
    report = check(tmp_path, SOUND, SOUND)
    assert found(report) == [(ERROR, "image listed twice", "entry 1 (a.png)")]
    assert "also in entry 0 (a.png)" in report.problems[0].detail


def test_the_same_picture_under_two_names(tmp_path):
    arguments = write_dataset(tmp_path / "data", [SOUND, dict(SOUND, file_name="b.png")])
    (tmp_path / "data/images/b.png").write_bytes((tmp_path / "data/images/a.png").read_bytes())
    report = check_dataset(dict(train=build(**arguments, lazy_init=True, pipeline=[])), progress=False)[0]
    assert found(report) == [(WARNING, "same picture under two names", "entry 1 (b.png)")]


@pytest.mark.parametrize("images", [True, False])
def test_overlap_of_splits(tmp_path, images):
    """By content where images are read, else by path: the same name in two folders is no overlap."""
    train = write_dataset(tmp_path / "data", [entry("a.png"), entry("b.png")], folder="one")
    test = write_dataset(tmp_path / "data", [entry("c.png"), entry("b.png")], "test.json", folder="two")
    Image.open(tmp_path / "data/one/a.png").rotate(180).save(tmp_path / "data/two/c.png")
    Image.open(tmp_path / "data/one/b.png").rotate(180).save(tmp_path / "data/two/b.png")
    splits = {name: build(**each, lazy_init=True) for name, each in dict(train=train, test=test).items()}
    assert [r.problems for r in check_dataset(splits, images, progress=False)] == [[], []]
    folder = "two" if images else "one"
    (tmp_path / f"data/{folder}/c.png").write_bytes((tmp_path / "data/one/b.png").read_bytes())
    if not images:
        splits["test"] = build(**dict(test, data_prefix=dict(img="one")), lazy_init=True)
    one, other = check_dataset(splits, images, progress=False)
    expected = ("c.png", 0) if images else ("b.png", 1)
    assert one.problems == [] and found(other) == [
        (ERROR, "image of two splits", f"entry {expected[1]} ({expected[0]})")
    ]
    assert other.problems[0].detail == "also train, entry 1 (b.png)"


SUSPECTS = [
    ("nearly equal boxes", [BOXES[0], (10, 10, 40, 59, 1), BOXES[1]], [(0, 2, 1)], (0, 1)),
    ("subject and object in one place", [BOXES[0], (10, 10, 40, 59, 7)], [(0, 1, 1), (0, 1, 2)], (0, 1)),
    ("tiny box", [BOXES[0], (50, 20, 53, 40, 7)], [(0, 1, 1)], (1,)),
    ("extreme shape", [BOXES[0], (1, 70, 96, 76, 7)], [(0, 1, 1)], (1,)),
    ("box covers the image", [BOXES[0], (0, 0, 96, 78, 7)], [(0, 1, 1)], (1,)),
    ("image without HOI", [BOXES[0]], [], ()),
]


@pytest.mark.parametrize("kind, boxes, hois, positions", SUSPECTS, ids=[each[0] for each in SUSPECTS])
def test_suspicious(tmp_path, kind, boxes, hois, positions):
    """Found where it is, once; not looked for unless asked for."""
    arguments = write_dataset(tmp_path / "data", [SOUND, entry("b.png", boxes, hois)])
    splits = dict(train=build(**arguments, lazy_init=True, pipeline=[]))
    assert check_dataset(splits, progress=False)[0].problems == []
    (report,) = check_dataset(splits, progress=False, suspicious=True)
    assert found(report) == [(SUSPICIOUS, kind, "entry 1 (b.png)")]
    assert report.problems[0].boxes == positions and report.problems[0].entry == 1
    assert "0 errors, 0 warnings, 1 suspicious" in report.render()


def test_limits_of_suspicion(tmp_path):
    """An IoU just below the limit, a side as long as the limit, unsound boxes, which are errors already."""
    boxes = [(0, 0, 10, 89, 1), (0, 0, 10, 80, 1), (50, 20, 54, 80, 7), (9, 9, 9, 9, 7), (math.nan, 0, 1, 1, 1)]
    arguments = write_dataset(tmp_path / "data", [entry("a.png", boxes, [(0, 2, 1), (4, 3, 1)])])
    splits = dict(train=build(**arguments, lazy_init=True, pipeline=[]))
    (report,) = check_dataset(splits, images=False, progress=False, suspicious=True)
    assert {level for level, *_ in found(report)} == {ERROR} and len(report.problems) == 2


def test_near_duplicates_equal_a_loop():
    """Random boxes in random images: the arrays find what comparing any two boxes finds."""
    rng = np.random.default_rng(0)
    boxes = np.repeat(rng.uniform(9, 50, (9, 4)), 9, 0)[:80] + rng.uniform(-1, 1, (80, 4))
    boxes[:, 2:] += boxes[:, :2]
    labels, images = rng.integers(0, 2, 80), rng.integers(0, 5, 80)
    report = SplitReport("train", "", ("person", "ball"), ("hold",))
    for image in range(5):
        rows = np.flatnonzero(images == image).tolist()
        content = {i: (boxes[i].tolist(), int(labels[i])) for i in rows}
        report.entries.append(CheckedEntry(image, f"{image}.png", content, {0: (rows[0], -1, 0)}))
    find_suspicious(report)
    expected = set()
    for i, j in itertools.combinations(range(80), 2):
        overlap = np.minimum(boxes[i, 2:], boxes[j, 2:]) - np.maximum(boxes[i, :2], boxes[j, :2])
        areas = [(box[2:] - box[:2]).prod() for box in boxes[[i, j]]]
        shared = overlap.clip(0).prod()
        if images[i] == images[j] and labels[i] == labels[j] and shared >= 0.9 * (sum(areas) - shared):
            expected.add((int(images[i]), (i, j)))
    assert len(expected) > 10
    assert {(p.entry, p.boxes) for p in report.problems if p.kind == "nearly equal boxes"} == expected


def test_every_kind_has_a_meaning():
    assert all(kind.meaning.endswith(".") and kind.level in LEVELS for kind in KINDS.values())
    assert {name for _, name, *_ in PROBLEMS} | {name for name, *_ in SUSPECTS} <= KINDS.keys()


def test_forbidden_combinations_need_a_table(tmp_path):
    hois = [(0, 1, 1)]  # a person smokes a cigarette, then a person smokes a phone
    boxes = [(*BOXES[0][:4], "1"), (*BOXES[1][:4], "3"), (*BOXES[2][:4], "2")]
    write_dataset(tmp_path / "data", [entry("a.png", boxes, hois), entry("b.png", boxes, [(0, 2, 1)])])
    dataset = HOIADataset(ann_file="train.json", data_root=str(tmp_path / "data"), lazy_init=True)
    report = check_dataset(dict(train=dataset), images=False, progress=False)[0]
    assert found(report) == [(WARNING, "forbidden combination", "entry 1 (b.png)")]
    assert "smoke mobile_phone" in report.problems[0].detail


# ---- real annotations


def test_real_hoi_a(data_dir):
    """75 HOIs whose subject is no person, 181 forbidden combinations, one repetition, as counted elsewhere."""
    files = datasets_of_files("HOIADataset", [str(data_dir / "hoi_a/test_hoia.json")])
    (report,) = check_dataset(files, images=False, progress=False)
    kinds = [problem.kind for problem in report.problems]
    assert kinds.count("unusual subject class") == 75 and kinds.count("HOI repeated") == 1
    assert kinds.count("forbidden combination") == 181
    assert report.count(ERROR) == 0 and sum(report.statistics.hois.values()) == 21623


def test_real_hico_det(data_dir):
    dataset = HICODetDataset(ann_file="trainval_hico.json", data_root=str(data_dir / "hico_det"), lazy_init=True)
    (report,) = check_dataset(dict(train=dataset), images=False, progress=False)
    assert {p.kind: 0 for p in report.problems}.keys() == {"HOI repeated", "many boxes"}
    assert sum(p.kind == "HOI repeated" for p in report.problems) == 119
    s = report.statistics
    assert (s.images, sum(s.boxes.values()), s.pairs, len(s.triplets)) == (37633, 152785, 93080, 600)


# ---- what is checked


def test_data_sets_of_a_config(tmp_path):
    arguments = write_dataset(tmp_path / "data", [SOUND])
    leaf = dict(arguments, type="HOIDataset", pipeline=[dict(type="LoadHOIImage")])
    wrapped = dict(type="RepeatDataset", times=2, dataset=leaf)
    both = dict(type="ConcatDataset", datasets=[dict(leaf, test_mode=True), dict(leaf, strict=True)])
    cfg = Config(
        dict(
            train_dataloader=dict(dataset=wrapped),
            val_dataloader=dict(dataset=both),
            test_dataloader=dict(dataset=both),
        )
    )
    assert list(datasets_of_config(cfg)) == ["train", "val[0]", "val[1]"]
    assert list(datasets_of_config(cfg, ["test"])) == ["test[0]", "test[1]"]
    with pytest.raises(AnnotationError, match="The config has no val_dataloader"):
        datasets_of_config(Config(dict(train_dataloader=dict(dataset=leaf))), ["val"])


def test_data_sets_of_others_are_refused():
    cfg = Config(dict(train_dataloader=dict(dataset=dict(type="CocoDataset", ann_file="x.json"))))
    with pytest.raises(AnnotationError, match="CocoDataset is no HOI data set of this package"):
        datasets_of_config(cfg)


def test_folders_must_fit_files(tmp_path):
    with pytest.raises(AnnotationError, match="3 annotation files, but 2 image folders"):
        datasets_of_files("HOIADataset", ["a", "b", "c"], ["x", "y"])
    write_image(tmp_path / "x.png")
    assert [*datasets_of_files("HOIADataset", ["a", "b"], [str(tmp_path)])] == ["a", "b"]


def test_text_and_json(tmp_path):
    report = check(tmp_path, *[with_box((9, 2, 9, 4)) | dict(file_name=f"{i}.png") for i in range(4)])
    text = report.render(limit=3)
    assert "train: " in text and "4 errors, 0 warnings" in text and "... and 1 more" in text
    assert "never: kick, throw" not in text and "verbs (HOIs): wave 4; never: hold, kick, throw" in text
    assert text.count("[9, 2, 9, 4]") == 3 and report.render().count("[9, 2, 9, 4]") == 4
    content = json.loads(json.dumps(report.as_dict()))
    assert len(content["problems"]) == 4 and content["statistics"]["images"] == 4


def test_images_outside_of_the_folder_are_not_read(tmp_path):
    (report,) = [check(tmp_path, entry("a.png"), entry("../private.png"), skip=("../private.png",))]
    assert ("error", "image outside of the folder") in {(p.level, p.kind) for p in report.problems}
    assert report.statistics.images == 1


def test_turned_photographs_are_told_and_boxes_are_compared_with_their_frame(tmp_path):
    arguments = write_dataset(tmp_path / "data", [entry("a.jpg", [(1, 1, 20, 90, 1), (2, 2, 70, 80, 7)])])
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (96, 72)).save(tmp_path / "data/images/a.jpg", exif=exif)  # shown 72 wide, 96 high

    def report(**options):
        dataset = build(**arguments, lazy_init=True, pipeline=[], **options)
        return check_dataset(dict(train=dataset), progress=False)[0]

    upright = report()
    assert found(upright) == [(WARNING, "image stored turned", "entry 0 (a.jpg)")]
    assert "EXIF orientation 6; read upright (dataset.upright=True)" in upright.problems[0].detail
    assert upright.statistics.largest_image == (72, 96)
    stored = report(upright=False)
    assert [kind for _, kind, _ in found(stored)] == ["image stored turned", *["box leaves the image"] * 2]
    assert stored.statistics.largest_image == (96, 72)


def test_a_huge_image_is_not_called_unreadable(tmp_path, monkeypatch):
    arguments = write_dataset(tmp_path / "data", [SOUND])
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    report = check_dataset(dict(train=build(**arguments, lazy_init=True, pipeline=[])), progress=False)[0]
    assert found(report) == [(ERROR, "image too large", "entry 0 (a.png)")]


@pytest.mark.parametrize(
    "kind, upright",
    [("HOIDataset", True), ("HICODetDataset", False), ("VCOCODataset", False), ("HOIADataset", False)],
)
def test_published_data_sets_are_read_as_the_official_code_reads_them(kind, upright):
    assert DATASETS.get(kind).UPRIGHT is upright
    names = dict(metainfo=METAINFO) if kind == "HOIDataset" else {}
    assert build(kind, ann_file="a.json", lazy_init=True, pipeline=[], **names).upright is upright


def test_a_split_without_any_hoi(tmp_path):
    report = check(tmp_path, entry("a.png", BOXES, []), entry("b.png", BOXES, []))
    assert found(report) == [(ERROR, "no HOI in the whole file", "the whole file")]
    assert "2 images with 6 boxes; did a converter lose hoi_annotation?" in report.problems[0].detail
    assert report.problems[0].entry == -1
    assert "error: no HOI in the whole file (1)" in report.render()


def test_boxes_of_corner_and_size_get_a_hint(tmp_path):
    report = check(tmp_path, SOUND, entry("b.png", [(50, 30, 20, 40, 1), (60, 60, 10, 10, 7)], [(0, 1, 1)]))
    assert [kind for _, kind, place in found(report) if place == "the whole file"] == ["boxes as x, y, width, height?"]
    assert "2 of 5 boxes; if so, write x1, y1, x1 + width, y1 + height" in report.problems[-1].detail


def test_triplet_classes_are_counted_as_in_evaluation(tmp_path):
    hois = [(0, 1, 1), (0, 1, 1), (0, -1, 3), (1, 0, 2), (2, 0, 2), (0, 2, 4)]
    entries = [entry("a.png", BOXES, hois), entry("b.png", BOXES, [(0, 1, 1), (0, -1, 1)])]
    report = check(tmp_path, *entries)
    names = dict(METAINFO, category_ids=list(METAINFO["category_ids"]))
    (tmp_path / "names.json").write_text(json.dumps(names))
    ann_file = str(tmp_path / "data/train.json")
    own = dict(names_file=str(tmp_path / "names.json"), train_ann_file=ann_file)
    images = load_evaluation_set("own", ann_file, **own)
    (tmp_path / "none.json").write_text("[]")
    table = evaluate_file(tmp_path / "none.json", images).table
    assert len(report.statistics.triplets) == 6 and "2 images, 6 classes with ground truth" in table
    assert set(report.statistics.triplets) >= {"hold ball", "wave", "hold", "ball kick person", "cup kick person"}
    assert "6 triplet classes" in report.render()
