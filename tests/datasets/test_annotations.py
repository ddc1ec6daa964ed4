"""Reading annotation files."""

import gzip
import json
import math

import pytest

from hqm_mmdet.datasets import AnnotationError, merge_pairs, read_annotations
from hqm_mmdet.datasets.annotations import NO_AREA, NOT_FINITE, box_defect
from tests.datasets.tiny_hoi import entry


def test_plain_and_compressed_files(tmp_path):
    entries = [entry("a.jpg"), entry("b.jpg", hois=())]
    (tmp_path / "plain.json").write_text(json.dumps(entries))
    (tmp_path / "packed.json.gz").write_bytes(gzip.compress(json.dumps(entries).encode()))
    for name in ("plain.json", "packed.json.gz", "packed.json"):
        assert read_annotations(str(tmp_path / name)) == entries


def test_missing_file_names_path_and_remedy(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.json \(or \.json\.gz\) does not exist\. Make it like this"):
        read_annotations(str(tmp_path / "nowhere.json"), "Make it like this.")


@pytest.mark.parametrize(
    "name, content",
    [
        ("text.json", b"no json"),
        ("cut.json", b'[{"file_name": "a.jpg"'),
        ("binary.json", b"\xff\xfe\x00\x80"),
        ("cut.json.gz", gzip.compress(b"[]" * 100, mtime=0)[:-9]),
        ("text.json.gz", b"[]"),
    ],
    ids=("text", "cut", "binary", "cut gz", "text gz"),  # not the bytes, which differ between processes
)
def test_damaged_file_names_path_and_remedy(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(AnnotationError, match=rf"{name}: no readable JSON .* Copy or download it again"):
        read_annotations(str(tmp_path / name))


def test_coco_style_file_is_refused(tmp_path):
    (tmp_path / "coco.json").write_text(json.dumps(dict(images=[], annotations=[])))
    with pytest.raises(AnnotationError, match=r"coco\.json: expected a list .* found dict.*own_data"):
        read_annotations(str(tmp_path / "coco.json"))


def test_same_pair_becomes_one_with_all_its_verbs():
    hois = [(0, 1, 5), (2, -1, 3), (0, 1, 4), (1, 0, 5), (0, 1, 5), (2, -1, 6)]
    assert merge_pairs(hois) == [(0, 1, [5, 4]), (2, -1, [3, 6]), (1, 0, [5])]
    assert merge_pairs([]) == []


@pytest.mark.parametrize(
    "box, defect",
    [
        ([0, 0, 1, 1], None),
        ([-5, -5, 1.5, 1], None),
        ([3, 0, 3, 1], NO_AREA),
        ([3, 5, 4, 1], NO_AREA),
        ([math.nan, 0, 1, 1], NOT_FINITE),
        ([0, 0, math.inf, 1], NOT_FINITE),
        ([0, -math.inf, math.inf, 1], NOT_FINITE),
    ],
)
def test_box_defect(box, defect):
    assert box_defect(box) == defect
