"""Missing and damaged files: one clear message each."""

import json

import pytest
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader

from hqm_mmdet.datasets import AnnotationError, BadImageError
from tests.datasets.tiny_hoi import BOXES, build, entry, image_path, write_dataset


def test_missing_annotations(arguments):
    with pytest.raises(FileNotFoundError, match=r"/data/nothing\.json \(or \.json\.gz\) does not exist.*docs/own_data"):
        build(**dict(arguments, ann_file="nothing.json"))


def test_missing_image_folder(arguments):
    arguments["data_prefix"] = dict(img="nothing")
    with pytest.raises(FileNotFoundError, match=r"Image folder .*/data/nothing does not exist.*docs/own_data"):
        build(**arguments)
    assert len(build(**dict(arguments, pipeline=[]))) == 3  # annotations alone can be read without images


def test_defects_are_reported_once_with_counts(tmp_path, logged):
    bad_box = (50, 20, 50, 40, 7)
    entries = [entry("a.png", [*BOXES, bad_box], [(0, 3, 1), (0, 1, 1)])] * 2 + [entry("b.png", hois=[(7, 0, 1)])]
    arguments = write_dataset(tmp_path, entries)
    assert len(build(**arguments)) == 2
    assert len(logged) == 1
    for part in ("train.json", "2 x box dropped", "2 x HOI dropped", "1 x image left out", "entry 2 (b.png)", "strict"):
        assert part in logged[0]
    with pytest.raises(AnnotationError, match=r"train\.json: entry 2 \(b\.png\): hoi_annotation\[0\]: subject_id=7"):
        build(**arguments, strict=True)


def test_nothing_is_reported_of_good_data(arguments, logged):
    build(**arguments, strict=True)
    assert logged == []


def spoil(arguments, name, truncate=False):
    """Damage or remove an image of the data set."""
    path = image_path(arguments, name)
    if truncate:
        path.write_bytes(path.read_bytes()[:200])
    else:
        path.unlink()
    return path


@pytest.mark.parametrize("truncate", [False, True])
def test_bad_image_is_an_error_that_names_file_entry_and_remedy(arguments, eval_arguments, truncate):
    path = spoil(arguments, "b.png", truncate)
    what = "can't be read, it is truncated" if truncate else "does not exist"
    dataset = build(**arguments)
    with pytest.raises(
        BadImageError, match=rf"train\.json: entry 1: image {path} {what}.* Restore .*on_bad_image='skip'"
    ):
        dataset[1]
    assert dataset[0]["data_samples"].img_id == 0
    with pytest.raises(BadImageError, match=rf"train\.json: entry 1: image {path} {what}"):
        build(**eval_arguments, on_bad_image="skip")[1]  # evaluation skips nothing


def test_bad_images_can_be_skipped_in_training(arguments, logged):
    spoil(arguments, "b.png")
    spoil(arguments, "c.png", truncate=True)
    dataset = build(**arguments, on_bad_image="skip")
    assert {dataset[i]["data_samples"].img_id for i in (0, 1, 2, 1, 2, 1, 2)} == {0}
    assert len(logged) == 2  # once per file
    assert any("b.png does not exist" in message for message in logged)
    assert any("images so far in this process: 2" in message for message in logged)


def test_bad_image_in_a_worker_process_keeps_its_message(arguments):
    spoil(arguments, "b.png")
    loader = DataLoader(build(**arguments), batch_size=3, num_workers=1, collate_fn=pseudo_collate)
    with pytest.raises(BadImageError, match=r"train\.json: entry 1: image .*b\.png does not exist"):
        next(iter(loader))


def test_unknown_switch(arguments):
    with pytest.raises(ValueError, match="'error' or 'skip', got 'ignore'"):
        build(**arguments, on_bad_image="ignore")


@pytest.mark.parametrize("name", ("../private.png", "/private.png", "a/../../private.png", ""))
def test_names_that_lead_out_of_the_image_folder(tmp_path, name):
    arguments = write_dataset(tmp_path, [entry("a.png")])
    rename(tmp_path, name)
    with pytest.raises(AnnotationError, match=r"train\.json: entry 0 .*file_name leads out of the image folder.*below"):
        build(**arguments)


def rename(root, name):
    file = next(root.rglob("train.json"))
    file.write_text(file.read_text().replace('"a.png"', json.dumps(name)))
