"""Training stops at data that it could not learn from, and says what it takes otherwise than annotated."""

import pytest

from hqm_mmdet.datasets import AnnotationError
from tests.datasets.tiny_hoi import BOXES, PIPELINE, build, entry, write_dataset


def dataset(tmp_path, *entries, **options):
    return build(**dict(write_dataset(tmp_path / "data", entries), pipeline=PIPELINE, **options))


XYWH = [(50, 30, 20, 40, 1), (60, 50, 10, 10, 7)]


def test_most_hois_lost_with_their_boxes(tmp_path):
    entries = [entry("a.png"), *(entry(f"b{i}.png", XYWH) for i in range(2))]
    with pytest.raises(AnnotationError, match=r"lose 2 of 3 HOIs and 0 of 3 images\. .*x, y, width, height") as error:
        dataset(tmp_path, *entries)
    assert "4 x box dropped, x2 <= x1 or y2 <= y1; first: entry 1 (b0.png)" in str(error.value)
    assert len(dataset(tmp_path, *entries, test_mode=True, vocabulary_ann_file="train.json")) == 3


def test_some_lost_hois_are_only_counted(tmp_path, logged):
    assert len(dataset(tmp_path, entry("a.png"), entry("b.png"), entry("c.png", XYWH))) == 3
    assert "1 x HOI dropped with its box" in logged[0]


def test_most_images_left_out(tmp_path):
    entries = [entry("a.png"), *(entry(f"b{i}.png", hois=[(1, 2, 1)]) for i in range(2))]  # indices from 1
    with pytest.raises(AnnotationError, match=r"2 of 3 images\. .*indices count from 0"):
        dataset(tmp_path, *entries)


def test_subjects_that_are_no_persons_are_told(tmp_path, logged):
    dataset(tmp_path, entry("a.png", BOXES, [(0, 1, 1), (1, 0, 2), (2, 1, 2)]))
    assert "2 x subject that is no person, trained as one; first: entry 0 (a.png): hoi_annotation[1]: ball" in logged[0]
    assert "docs/own_data.md, Subjects" in logged[0] and "strict=True" not in logged[0]
    logged.clear()
    dataset(tmp_path, entry("a.png", BOXES, [(0, 1, 1)]))
    assert not logged
