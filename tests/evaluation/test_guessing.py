"""The data set is told by the names of its images, from one reading of the file."""

import json

import pytest

from hqm_mmdet.datasets.problems import AnnotationError
from hqm_mmdet.evaluation.offline import DATASETS, evaluation_set, load_evaluation_set
from hqm_mmdet.evaluation.offline.guessing import guess_dataset
from tests.datasets.tiny_hoi import entry

KNOWN = sorted(DATASETS)


@pytest.mark.parametrize(
    ("name", "dataset"),
    [
        ("HICO_train2015_00000001.jpg", "hico"),
        ("images/val2014/COCO_val2014_000000000042.jpg", "vcoco"),
        ("toy_test_00000003.png", "toy"),
        ("test_000000.png", None),
        ("my_HICO_test2015_1.jpg", None),
    ],
)
def test_data_set_that_image_names_tell(name, dataset):
    entries = [dict(file_name=name)]
    if dataset:
        assert guess_dataset(entries, "test.json", KNOWN) == dataset
    else:
        with pytest.raises(AnnotationError, match=r"does not tell .*, one of hico, hoia, own, pastanet, toy, vcoco"):
            guess_dataset(entries, "test.json", KNOWN)


def test_images_of_several_data_sets():
    names = ["HICO_test2015_00000001.jpg", "HICO_test2015_00000002.jpg", "COCO_val2014_000000000042.jpg"]
    message = r"first image is 'HICO_test2015_00000001.jpg', but there is also 'COCO_val2014"
    with pytest.raises(AnnotationError, match=message):
        guess_dataset([dict(file_name=name) for name in names], "test.json", KNOWN)


def test_data_set_of_official_v_coco_and_of_empty_files():
    assert guess_dataset([dict(action_name="hit", role_name=["agent"])], "a.json", KNOWN) == "vcoco"
    with pytest.raises(AnnotationError, match="does not tell"):
        guess_dataset([], "b.json", KNOWN)


@pytest.mark.parametrize("dataset", (None, "hico"))
def test_annotations_are_parsed_once(tmp_path, monkeypatch, dataset):
    file = tmp_path / "test.json"
    file.write_text(json.dumps([entry("HICO_test2015_00000001.jpg", [(1, 1, 9, 9, 1), (2, 2, 8, 8, 1)])]))
    read, original = [], evaluation_set.read_annotations
    monkeypatch.setattr(evaluation_set, "read_annotations", lambda *args: read.append(args) or original(*args))
    assert load_evaluation_set(dataset, str(file)).dataset == "hico" and len(read) == 1


def test_names_make_it_own_data(tmp_path):
    """Whatever the image names."""
    files = {name: str(tmp_path / f"{name}.json") for name in ("test", "train", "names")}
    for name in ("test", "train"):
        (tmp_path / f"{name}.json").write_text(json.dumps([entry("HICO_test2015_00000001.jpg")]))
    (tmp_path / "names.json").write_text(
        json.dumps(dict(classes=["person", "ball"], verbs=["kick"], category_ids=[1, 7]))
    )
    images = load_evaluation_set(None, files["test"], names_file=files["names"], train_ann_file=files["train"])
    assert images.dataset == "own"
