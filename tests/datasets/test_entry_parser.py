"""Id mapping, training filters, and every kind of bad entry."""

import copy
import math

import pytest

from hqm_mmdet.datasets import AnnotationError
from hqm_mmdet.datasets.entry_parser import EntryParser
from hqm_mmdet.datasets.problems import ProblemReport
from tests.datasets.tiny_hoi import CATEGORY_IDS, VERB_IDS, entry

BOXES = [(10, 10, 40, 60, 1), (50, 20, 70, 40, 7), (1, 2, 3, 4, 90)]
HOIS = [(0, 1, 1), (0, -1, 3), (0, 2, 4)]


def parser(training=True, strict=False, max_boxes=None):
    return EntryParser(CATEGORY_IDS, VERB_IDS, ProblemReport("ann.json", strict), training, max_boxes)


def parse(raw, **options):
    """What is kept of an entry, and the counts of what is not."""
    parse = parser(**options)
    image = parse.read(3, raw)
    return image and parse.usable(3, image), parse.report.counts


def changed(path, value):
    """A good entry with one value replaced, or removed if it is ``del``."""
    raw = copy.deepcopy(entry(boxes=BOXES, hois=HOIS))
    *parents, key = path
    item = raw
    for parent in parents:
        item = item[parent]
    if value is del_:
        del item[key]
    else:
        item[key] = value
    return raw


del_ = object()


def test_ids_become_labels():
    image, counts = parse(entry(boxes=BOXES, hois=HOIS))
    assert image.file_name == "a.jpg" and image.labels == [0, 1, 2]
    assert image.boxes == [list(box[:4]) for box in BOXES]
    assert image.hois == [(0, 1, 0), (0, -1, 2), (0, 2, 3)]
    assert counts == {}


def test_ids_may_be_strings():
    raw = entry(boxes=[(*box[:4], str(box[4])) for box in BOXES], hois=[(s, o, str(v)) for s, o, v in HOIS])
    assert parse(raw)[0] == parse(entry(boxes=BOXES, hois=HOIS))[0]


def test_image_without_pairs_or_boxes():
    raw = dict(file_name="a.jpg", annotations=[], hoi_annotation=[])
    for training in (True, False):
        image, counts = parse(raw, training=training)
        assert (image.boxes, image.labels, image.hois, counts) == ([], [], [], {})


FATAL = [
    (("file_name",), del_, "no key 'file_name'"),
    (("annotations",), del_, "no key 'annotations'"),
    (("hoi_annotation",), del_, "no key 'hoi_annotation'"),
    (("annotations",), "none", "'annotations' is no list"),
    (("annotations", 1, "bbox"), del_, r"annotations\[1\]: no key 'bbox'"),
    (("annotations", 1, "category_id"), del_, r"annotations\[1\]: no key 'category_id'"),
    (("annotations", 1), 5, r"annotations\[1\]: no key 'bbox'"),
    (("annotations", 1, "bbox"), [1, 2, 3], r"annotations\[1\]: bbox=\[1, 2, 3\], expected four numbers"),
    (("annotations", 1, "bbox"), [1, 2, 3, "4"], r"annotations\[1\]: bbox=.* expected four numbers"),
    (("annotations", 1, "bbox"), None, r"annotations\[1\]: bbox=None, expected four numbers"),
    (("annotations", 1, "category_id"), 2, r"annotations\[1\].category_id: unknown id 2, known are 1 \.\.\. 90"),
    (("hoi_annotation", 2, "subject_id"), del_, r"hoi_annotation\[2\]: no key 'subject_id'"),
    (("hoi_annotation", 2, "object_id"), del_, r"hoi_annotation\[2\]: no key 'object_id'"),
    (("hoi_annotation", 2, "category_id"), del_, r"hoi_annotation\[2\]: no key 'category_id'"),
    (("hoi_annotation", 2, "category_id"), 0, r"hoi_annotation\[2\].category_id: unknown id 0"),
    (("hoi_annotation", 2, "object_id"), None, r"hoi_annotation\[2\]: .*object_id=None, expected integers"),
    (("hoi_annotation", 2, "subject_id"), 0.5, r"hoi_annotation\[2\]: subject_id=0.5.* expected integers"),
]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("path, value, message", FATAL)
def test_wrong_file_or_class_table_is_always_an_error(path, value, message, training):
    name = r"\?" if path == ("file_name",) else r"a\.jpg"
    # file, entry, field and value, and after the full stop what to do
    with pytest.raises(AnnotationError, match=rf"^ann\.json: entry 3 \({name}\): {message}.*\. \w+.*\.$"):
        parse(changed(path, value), training=training)


def test_entry_that_is_no_dict():
    with pytest.raises(AnnotationError, match=r"ann\.json: entry 3 \(\?\): no key 'file_name'"):
        parse(["a.jpg"])


OUT_OF_RANGE = [("subject_id", 3), ("object_id", 3), ("subject_id", -1), ("object_id", -2)]


@pytest.mark.parametrize("key, value", OUT_OF_RANGE)
def test_index_out_of_range_leaves_the_training_image_out(key, value):
    raw = changed(("hoi_annotation", 1, key), value)
    image, counts = parse(raw)
    assert image is None and counts == {"image left out, index out of range": 1}
    message = rf"ann\.json: entry 3 \(a\.jpg\): hoi_annotation\[1\]: .*{key}={value}.* has 3 boxes\. Correct"
    with pytest.raises(AnnotationError, match=message):
        parse(raw, strict=True)
    with pytest.raises(AnnotationError, match=message):
        parse(raw, training=False)


BAD_BOXES = [[50, 20, 50, 40], [50, 20, 40, 40], [50, 40, 70, 20], [50, math.nan, 70, 40], [50, 20, math.inf, 40]]


@pytest.mark.parametrize("box", BAD_BOXES)
def test_bad_box_takes_its_training_pairs_along(box):
    image, counts = parse(changed(("annotations", 1, "bbox"), box))
    assert image.labels == [0, 2] and image.hois == [(0, -1, 2), (0, 1, 3)]  # the third box moved up
    assert sum(counts.values()) == 2 and counts["HOI dropped with its box"] == 1
    with pytest.raises(AnnotationError, match=r"ann\.json: entry 3 \(a\.jpg\): annotations\[1\]\.bbox = .* Correct"):
        parse(changed(("annotations", 1, "bbox"), box), strict=True)


def test_bad_subject_takes_pairs_without_object_along():
    assert parse(changed(("annotations", 0, "bbox"), BAD_BOXES[0]))[0].hois == []


def test_evaluation_keeps_a_box_without_area_and_says_so():
    raw = changed(("annotations", 1, "bbox"), BAD_BOXES[0])
    image, counts = parse(raw, training=False)
    assert len(image.boxes) == len(image.hois) == 3
    assert list(counts.values()) == [1]
    with pytest.raises(AnnotationError, match="x2 <= x1"):
        parse(raw, training=False, strict=True)


def test_evaluation_refuses_nan():
    with pytest.raises(
        AnnotationError, match=r"entry 3 \(a\.jpg\): annotations\[1\]\.bbox = .*nan.*evaluation leaves out"
    ):
        parse(changed(("annotations", 1, "bbox"), BAD_BOXES[3]), training=False)


def test_limit_of_boxes_is_for_training_and_no_defect():
    raw = entry(boxes=BOXES, hois=HOIS)
    image, counts = parse(raw, max_boxes=2, strict=True)
    assert image.labels == [0, 1] and image.hois == [(0, 1, 0), (0, -1, 2)]
    assert counts == {"image with too many boxes": 1, "HOI dropped with its box": 1}
    assert len(parse(raw, max_boxes=2, training=False)[0].boxes) == 3


def test_dropped_boxes_do_not_make_room_below_the_limit():
    raw = changed(("annotations", 0, "bbox"), BAD_BOXES[0])
    assert parse(raw, max_boxes=2)[0].labels == [1]  # official order: cut first, then drop


def test_report_counts_and_names_the_first():
    parse = parser()
    for i in range(3):
        parse.read(i, changed(("hoi_annotation", 1, "object_id"), 10 + i))
    text = str(parse.report)
    assert text.startswith("ann.json") and "3 x image left out" in text and "strict=True" in text
    assert "entry 0 (a.jpg)" in text and "object_id=10" in text and "object_id=11" not in text
