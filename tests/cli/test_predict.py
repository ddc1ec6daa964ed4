"""``hqm-mmdet predict``: results, exit status, messages."""

import csv
import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from hqm_mmdet.apis import HOIInferencer
from hqm_mmdet.apis.inference.triplets import COLUMNS, CORNERS
from hqm_mmdet.apis.video.frames import VideoWriter
from hqm_mmdet.cli.predict import labels_of
from hqm_mmdet.visualization import TripletSelection
from hqm_mmdet_cli.predict import predict
from tests.apis.conftest import inference_config, noise, tiny_checkpoint, write_checkpoint
from tests.models.tiny import tiny_model


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return tiny_checkpoint(tmp_path_factory)


@pytest.fixture
def photos(tmp_path):
    (tmp_path / "photos").mkdir()
    for i, name in enumerate(("a.jpg", "b.png")):
        noise(60, 40, i).save(tmp_path / "photos" / name)
    return tmp_path / "photos"


@pytest.fixture
def call(checkpoint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments, model=checkpoint):
        words = ["--device", "cpu", *arguments, "--checkpoint", model, "--out", tmp_path / "out", "--quiet"]
        return CliRunner().invoke(predict, [str(word) for word in words])

    return run


def test_folder_with_attention_and_labels(call, photos, tmp_path):
    boxes = [dict(bbox=[5, 5, 30, 35], category_id=1), dict(bbox=[20, 5, 50, 30], category_id=2)]
    hois = [dict(subject_id=0, object_id=1, category_id=1)]
    labels = [dict(file_name="a.jpg", annotations=boxes, hoi_annotation=hois)]
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    result = call(photos, "--score-thr", 0, "--top-k", 3, "--attention", 1, "--annotations", tmp_path / "labels.json")
    assert result.exit_code == 0, result.output
    assert "2 images, 6 interactions with a score from 0;" in result.output
    assert sorted(path.name for path in (tmp_path / "out" / "attention").iterdir()) == ["a_pair1.jpg", "b_pair1.png"]
    assert sorted(path.name for path in (tmp_path / "out" / "pictures").iterdir()) == ["a.jpg", "b.png"]
    assert len(json.loads((tmp_path / "out" / "predictions.json").read_text())) == 2


def test_labels_are_found_by_the_end_of_the_path_or_missed_loudly(call, photos, tmp_path):
    def warned(file_name):
        (tmp_path / "labels.json").write_text(
            json.dumps([dict(file_name=file_name, annotations=[], hoi_annotation=[])])
        )
        result = call(photos / "a.jpg", "--annotations", tmp_path / "labels.json")
        assert result.exit_code == 0, result.output
        return "names none of these images" in result.output.replace("\n", " ")

    assert warned("c.jpg")
    assert not warned("a.jpg")
    assert not warned("train/a.jpg")


def test_labels_of_names_that_several_paths_end_with():
    truth = {"a/x.jpg": dict(n=1), "b/x.jpg": dict(n=2), "y.jpg": dict(n=3)}
    assert labels_of("x.jpg", truth) is None
    assert labels_of("b/x.jpg", truth) == dict(n=2)
    assert labels_of("photos/b/x.jpg", truth) == dict(n=2)
    assert labels_of("photos/y.jpg", truth) == dict(n=3)


def test_one_bad_image_gives_status_1(call, photos):
    (photos / "bad.jpg").write_text("no image")
    result = call(photos, "--no-pictures")
    assert result.exit_code == 1
    assert "2 images" in result.output and "not read: image" in result.output and "bad.jpg" in result.output


def test_a_folder_with_a_very_thin_image_goes_on(call, photos, robust_dir):
    shutil.copy(robust_dir / "thin_1x150000.png", photos)
    noise(1, 3000).save(photos / "narrow.png")
    result = call(photos)
    assert result.exit_code == 1 and "3 images" in result.output
    assert "thin_1x150000.png has 1 x 150,000 pixels (padded to" in result.output


def test_video(call, tmp_path):
    with VideoWriter(tmp_path / "clip.avi", 10) as writer:
        for i in range(2):
            writer.write(np.asarray(noise(60, 40, i)))
    shown = ("--score-thr", 0, "--top-k", 1, "--csv", tmp_path / "t.csv")
    result = call(tmp_path / "clip.avi", "--smoothing", 0.5, *shown)
    assert result.exit_code == 0 and "2 frames" in result.output
    rows = (tmp_path / "t.csv").read_text().splitlines()
    assert [row.split(",")[:2] for row in rows[1:]] == [["clip.avi", "0"], ["clip.avi", "1"]]
    assert (tmp_path / "out" / "clip.mp4").is_file()
    assert "A video is predicted alone" in call(tmp_path / "clip.avi", tmp_path / "clip.avi").output
    assert "are for images" in call(tmp_path / "clip.avi", "--attention", 1).output


@pytest.mark.parametrize(
    "arguments, message",
    (
        (["none.jpg"], "none.jpg does not exist"),
        (["empty"], "empty holds no image"),
        (["*.bmp"], "fits no image file"),
        (["http://host/a.jpg"], "--allow-urls"),
        (["photos", "--verb", "holt"], "'holt' is no verb of the model; known are e.g. hold"),
        (["photos", "--config", "none.py"], "none.py does not exist"),
        (["photos", "--cfg-options", "a=1"], "--cfg-options changes the file that --config names"),
        (["photos/notes.txt"], "None of 1 images could be read"),
        (["photos", "--config", "bad.py"], "bad.py, or one that it inherits, can't be read"),
        (["photos", "--device", "abacus"], "--device abacus can't be used"),
        (["photos", "--score-thr", "0", "--attention", "1", "--attention-head", "99"], "Head 99 does not exist"),
    ),
    ids=(
        "no file",
        "empty folder",
        "pattern",
        "address",
        "verb",
        "config",
        "options",
        "no image",
        "broken config",
        "device",
        "head",
    ),
)
def test_what_can_not_be_done_gives_status_2(call, photos, tmp_path, arguments, message):
    (tmp_path / "empty").mkdir()
    (photos / "notes.txt").write_text("no image")
    (tmp_path / "bad.py").write_text("model = dict(")
    result = call(*arguments)
    assert result.exit_code == 2 and message in result.output.replace("\n", " "), result.output


def test_wrong_checkpoints(call, photos, tmp_path):
    result = call(photos, model=tmp_path / "none.pth")
    assert result.exit_code == 2 and "none.pth" in result.output
    bare = write_checkpoint(tmp_path / "bare.pth", tiny_model())
    result = call(photos, model=bare)
    assert result.exit_code == 2 and "bare.pth holds no config. Give the config file" in result.output
    config = inference_config()
    config.model.bbox_head.num_verbs = 3
    config.dump(tmp_path / "other.py")
    result = call(photos, "--config", tmp_path / "other.py")
    assert result.exit_code == 2 and "does not fit the config" in result.output


def names_in(folder):
    return [entry["file_name"] for entry in json.loads((folder / "predictions.json").read_text())]


def test_results_join_those_that_the_folder_holds(call, photos, tmp_path):
    out = tmp_path / "out"
    assert call(photos / "a.jpg").exit_code == call(photos / "b.png").exit_code == 0
    assert names_in(out) == ["b.png", "a.jpg"]
    assert sorted(path.name for path in (out / "pictures").iterdir()) == ["a.jpg", "b.png"]
    assert call(photos / "a.jpg", "--score-thr", 0, "--top-k", 3).exit_code == 0
    entries = {entry["file_name"]: entry for entry in json.loads((out / "predictions.json").read_text())}
    assert len(entries) == 2 and len(entries["a.jpg"]["hoi_prediction"]) == 3
    (out / "predictions.json").write_text("notes")
    result = call(photos / "b.png")
    assert result.exit_code == 2 and "predictions.json is no list of predictions" in result.output
    assert (out / "predictions.json").read_text() == "notes"


def test_rows(call, photos, tmp_path, checkpoint):
    assert call(photos, "--score-thr", 0, "--top-k", 3, "--csv", tmp_path / "t.csv", "--no-pictures").exit_code == 0
    with open(tmp_path / "t.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS and [row["image"] for row in rows] == ["a.jpg"] * 3 + ["b.png"] * 3
    inferencer = HOIInferencer(checkpoint, device="cpu", show_progress=False)
    (prediction,) = inferencer.stream(photos / "a.jpg")
    triplets = prediction.triplets(TripletSelection(0, top_k=3))
    assert [triplet.score for triplet in triplets] == sorted((t.score for t in triplets), reverse=True)
    for triplet, row in zip(triplets, rows[:3], strict=True):
        assert triplet.verb == row["verb"] and (triplet.object or "") == row["object"]
        assert triplet.score == pytest.approx(float(row["score"]), abs=1e-5)
        box = [float(row[f"subject_{corner}"]) for corner in CORNERS]
        assert triplet.subject_box == pytest.approx(box, abs=0.02)
    assert prediction.triplets(TripletSelection(1)) == []


def test_a_full_disk_is_not_the_fault_of_an_ending(call, photos, tmp_path):
    (tmp_path / "out" / "pictures").mkdir(parents=True)
    (tmp_path / "out" / "pictures" / "a.jpg").symlink_to("/dev/full")
    result = call(photos / "a.jpg")
    assert result.exit_code == 2 and "ending" not in result.output
    assert "a.jpg" in result.output and "The disk is full" in result.output
