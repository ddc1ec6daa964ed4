"""The ToyHOI folder: layout, reuse, repair, refusals, command line."""

import json

import cv2
import numpy as np
import pytest

from hqm_mmdet.datasets.toy import (
    TOY_CLASSES,
    TOY_VALID,
    TOY_VERBS,
    ToySettings,
    make_toy_hoi,
    sample_image,
    writer,
)
from tests.cli.running import run

SETTINGS = ToySettings(num_train=6, num_test=3, min_size=96, max_size=112)


def make(folder, settings=SETTINGS, **kwargs):
    return make_toy_hoi(folder, settings, progress=False, **kwargs)


def contents(folder) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make(tmp_path_factory.mktemp("toy"))


def test_layout(folder):
    assert set(contents(folder)) == {
        *(f"images/train/toy_train_{i:08d}.png" for i in range(1, 7)),
        *(f"images/test/toy_test_{i:08d}.png" for i in range(1, 4)),
        "annotations/trainval_toy.json",
        "annotations/test_toy.json",
        "annotations/corre_toy.npy",
        "toy_hoi.json",
    }
    table = np.load(folder / "annotations/corre_toy.npy")
    assert table.dtype == np.float64 and np.array_equal(table, TOY_VALID)


def test_files_hold_what_is_sampled(folder):
    for split, name in (("train", "trainval_toy.json"), ("test", "test_toy.json")):
        entries = json.loads((folder / "annotations" / name).read_text())
        for index, entry in enumerate(entries):
            image, expected = sample_image(SETTINGS, split, index)
            assert entry == expected
            stored = cv2.imread(str(folder / "images" / split / entry["file_name"]))
            assert np.array_equal(stored[:, :, ::-1], image)


def test_manifest(folder):
    manifest = json.loads((folder / "toy_hoi.json").read_text())
    assert manifest["seed"] == 0 and manifest["settings"]["num_train"] == 6
    assert manifest["classes"] == list(TOY_CLASSES) and manifest["verbs"] == list(TOY_VERBS)
    assert manifest["category_ids"]["person"] == 1 and manifest["verb_ids"]["hold"] == 1
    assert manifest["counts"]["train"]["images"] == 6
    entries = json.loads((folder / "annotations/test_toy.json").read_text())
    counts = manifest["counts"]["test"]
    assert sum(counts["triplets"].values()) == sum(len(e["hoi_annotation"]) for e in entries)
    assert counts["boxes"] == sum(len(e["annotations"]) for e in entries)


def test_two_runs_give_the_same_bytes(folder, tmp_path):
    assert contents(make(tmp_path)) == contents(folder)


def test_complete_data_set_is_reused(folder, monkeypatch):
    monkeypatch.setattr(writer, "sample_image", lambda *_: pytest.fail("made again"))
    assert make(folder) == folder


@pytest.mark.parametrize("lost", ["images/train/toy_train_00000002.png", "annotations/corre_toy.npy", "toy_hoi.json"])
def test_incomplete_data_set_is_redone(folder, tmp_path, lost):
    make(tmp_path)
    (tmp_path / lost).unlink()
    assert contents(make(tmp_path)) == contents(folder)


def test_interrupted_run_leaves_no_manifest(folder, tmp_path, monkeypatch):
    def interrupt(settings, split, index):
        if index == 2:
            raise KeyboardInterrupt
        return sample_image(settings, split, index)

    make(tmp_path, ToySettings(num_train=8, num_test=1, min_size=96))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(writer, "sample_image", interrupt)
        make(tmp_path, overwrite=True)
    assert not (tmp_path / "toy_hoi.json").exists()
    assert contents(make(tmp_path)) == contents(folder)


def test_other_settings_are_refused_unless_overwritten(tmp_path, folder):
    make(tmp_path, ToySettings(num_train=1, num_test=1, seed=5))
    with pytest.raises(FileExistsError, match=r"toy_hoi\.json.*seed: found 5, wanted 0"):
        make(tmp_path)
    assert contents(make(tmp_path, overwrite=True)) == contents(folder)


def test_other_vocabulary_is_refused(tmp_path):
    path = make(tmp_path) / "toy_hoi.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "verbs": ["hold"]}))
    with pytest.raises(FileExistsError, match=r"verbs: found \['hold'\], wanted"):
        make(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"counts": {}}'])
def test_damaged_manifest(tmp_path, text):
    (tmp_path / "toy_hoi.json").write_text(text)
    with pytest.raises(ValueError, match="not a ToyHOI manifest"):
        make(tmp_path)


def test_unwritable_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"cannot write the ToyHOI data set to .*folder that can be"):
        make(tmp_path / "file" / "toy")


def test_foreign_files_are_left_alone(tmp_path):
    foreign = tmp_path / "images" / "train" / "photo.png"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("mine")
    make(tmp_path)
    assert foreign.read_text() == "mine"


def test_command_line(folder, tmp_path, capsys):
    options = ["make-toy", tmp_path, "--quiet", "--num-test=3", "--min-size=96", "--max-size=112"]
    assert run(*options, "--num-train=6") == 0
    assert "train: 6 images" in capsys.readouterr().out
    assert contents(tmp_path) == contents(folder)
    assert run(*options, "--num-train=7") == 2
    assert "num_train: found 6, wanted 7" in capsys.readouterr().err
    assert run(*options, "--min-size=113") == 2
    assert "96 <= min_size" in capsys.readouterr().err
