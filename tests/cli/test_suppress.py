"""hqm-mmdet suppress."""

import gzip
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image

from hqm_mmdet.apis import build_model
from hqm_mmdet.checkpoints.files import write_checkpoint
from tests.cli.running import run

ROOT = Path(__file__).parents[2]
NAME = "HICO_test2015_00000001.jpg"
BOXES = [
    dict(bbox=[0, 0, 50, 90], category_id=1),
    dict(bbox=[30, 20, 80, 60], category_id=2),
    dict(bbox=[5, 5, 20, 30], category_id=3),
]
HOIS = [
    dict(subject_id=0, object_id=1, category_id=77, score=0.1234567890123),
    dict(subject_id=0, object_id=1, category_id=58, score=0.7),  # no_interaction
    dict(subject_id=0, object_id=2, category_id=5, score=0.3, extra="kept"),
]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    torch.manual_seed(0)
    network = build_model(Config.fromfile(ROOT / "configs" / "interactiveness_toy.py"))
    path = tmp_path_factory.mktemp("network") / "interactiveness.pth"
    write_checkpoint(path, network.state_dict(), dict(cfg=network.cfg.pretty_text))
    return path


@pytest.fixture
def command(tmp_path, checkpoint):
    """The command on one image with two pairs."""
    pixels = np.random.default_rng(0).integers(0, 256, (90, 80, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / NAME)
    file = tmp_path / "predictions.json"

    def call(*options, hois=HOIS, boxes=BOXES, name=NAME):
        file.write_text(json.dumps([dict(file_name=name, predictions=boxes, hoi_prediction=hois, more=1)]))
        out = tmp_path / "out.json"
        common = ("--images", tmp_path, "--checkpoint", checkpoint, "--out", out, "--quiet")
        status = run("suppress", file, *common, *options)
        return status, json.loads(out.read_text()) if status == 0 else None, json.loads(file.read_text())

    return call


def test_thresholds_of_one_change_nothing(command):
    status, out, given = command("--above", "1")
    assert status == 0 and out == given


def test_suppressed_pairs_get_zero_and_no_interaction_stays(command, capsys):
    status, (entry,), _ = command("--above", "0", "--below", "1")
    assert status == 0 and [row["score"] for row in entry["hoi_prediction"]] == [0, 0.7, 0]
    assert entry["hoi_prediction"][2]["extra"] == "kept" and entry["more"] == 1
    assert "2 pairs in 1 images, 2 suppressed" in capsys.readouterr().out


def test_multiply_and_lists_of_scores(command):
    rows = [dict(subject_id=0, object_id=1, score=[0.5] * 117), dict(subject_id=0, object_id=-1, score=[0.5] * 117)]
    _, (entry,), _ = command("--mode", "multiply", hois=rows)
    changed, alone = (row["score"] for row in entry["hoi_prediction"])
    assert 0 < changed[0] < 0.5 and changed[57] == 0.5 and len(set(changed)) == 2
    assert alone == [0.5] * 117


def test_thresholds_by_class(command, tmp_path):
    thresholds = dict(above=1, below=1, per_class=dict(bicycle=[0, 1]))
    (tmp_path / "thresholds.json").write_text(json.dumps(thresholds))
    status, (entry,), _ = command("--thresholds", tmp_path / "thresholds.json")
    assert status == 0 and [row["score"] for row in entry["hoi_prediction"]] == [0, 0.7, 0.3]


def test_pickles_and_compressed_files(command, tmp_path, checkpoint, capsys):
    command()
    common = ("--images", tmp_path, "--checkpoint", checkpoint, "--out", tmp_path / "out.json", "--quiet", "--above", 1)
    content = (tmp_path / "predictions.json").read_bytes()
    (tmp_path / "predictions.json.gz").write_bytes(gzip.compress(content))
    assert run("suppress", tmp_path / "predictions.json.gz", *common) == 0
    assert json.loads((tmp_path / "out.json").read_text()) == json.loads(content)
    boxes = np.array([[0.0, 0, 50, 90], [5.5, 5, 20, 30]], np.float32)
    scores = np.random.default_rng(0).uniform(size=(1, 117)).astype(np.float32)
    labels = np.array([1])
    pairs = dict(sub_bboxes=boxes[:1], obj_bboxes=boxes[1:], obj_labels=labels, obj_scores=labels, verb_scores=scores)
    (tmp_path / "predictions.pkl").write_bytes(pickle.dumps([dict(img_path=f"x/{NAME}", pred_pairs=pairs)]))
    assert run("suppress", tmp_path / "predictions.pkl", *common) == 2
    assert "predictions.pkl: a pickle holds no class ids" in capsys.readouterr().err
    assert run("suppress", tmp_path / "predictions.pkl", *common, "--dataset", "hico") == 0
    (entry,) = json.loads((tmp_path / "out.json").read_text())
    assert np.array_equal(np.array(entry["hoi_prediction"][0]["score"], np.float32), scores[0])
    assert entry["file_name"] == NAME and entry["predictions"][1] == dict(bbox=[5.5, 5, 20, 30], category_id=2)
    (tmp_path / "broken.json.gz").write_bytes(b"no gzip")
    assert run("suppress", tmp_path / "broken.json.gz", *common) == 2


def test_judgements_are_kept_for_the_report(command, tmp_path, capsys):
    _, (entry,), _ = command("--above", "0", "--below", "1", "--keep-judgements")
    rows = entry["interactiveness"]
    assert [(row["subject_id"], row["object_id"], row["suppressed"]) for row in rows] == [(0, 1, True), (0, 2, True)]
    assert all(0 < score < 1 for row in rows for score in row["score"])
    truth = [dict(file_name=NAME, annotations=BOXES, hoi_annotation=[dict(subject_id=0, object_id=1, category_id=77)])]
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    options = ("--ann-file", tmp_path / "truth.json", "--out", tmp_path / "report", "--resamples", "0", "--quiet")
    assert run("report", tmp_path / "out.json", *options) == 0
    page = (tmp_path / "report" / "index.html").read_text()
    section = page.split('id="interactiveness"')[1].split("</section>")[0]
    assert "true of 1 pair of 2" in section and "AP non-interactive" in section
    counts = [part.split("</td>")[0] for part in section.split("<td>")]
    assert counts[-2:] == ["1", "1"]  # one rightly, one wrongly
    capsys.readouterr()


@pytest.mark.parametrize(
    "change,message",
    [
        (dict(name="HICO_test2015_00000002.jpg"), "entry 0 (HICO_test2015_00000002.jpg)"),
        (dict(boxes=BOXES[:2]), "a pair names box 2 of 2"),
        (dict(boxes=[dict(bbox=[0, 0, float("nan"), 1], category_id=1)] * 3), "a box is not finite"),
        (dict(hois=[dict(subject_id=0)]), "no key 'object_id'"),
    ],
)
def test_bad_entries(command, capsys, change, message):
    status, _, _ = command(**change)
    told = capsys.readouterr().err
    assert status == 2 and message in told and "predictions.json" in told and "Traceback" not in told


def test_bad_files(command, tmp_path, checkpoint, capsys):
    common = ("--images", tmp_path, "--checkpoint", checkpoint, "--out", tmp_path / "out.json")
    assert run("suppress", tmp_path / "none.json", *common) == 2
    assert "none.json does not exist" in capsys.readouterr().err
    (tmp_path / "text.json").write_text("{")
    assert run("suppress", tmp_path / "text.json", *common) == 2
    assert "no JSON" in capsys.readouterr().err


def test_search_writes_what_suppress_reads(tmp_path, checkpoint, capsys):
    names = [f"HICO_test2015_{i:08d}.jpg" for i in range(1, 13)]
    hoi = dict(subject_id=0, object_id=1, category_id=77)
    for name in names:
        Image.new("RGB", (80, 90)).save(tmp_path / name)
    predictions, truth = tmp_path / "predictions.json", tmp_path / "test.json"
    predictions.write_text(json.dumps([dict(file_name=name, predictions=BOXES, hoi_prediction=HOIS) for name in names]))
    truth.write_text(json.dumps([dict(file_name=name, annotations=BOXES, hoi_annotation=[hoi]) for name in names]))
    out = tmp_path / "thresholds.json"
    common = ("--images", tmp_path, "--checkpoint", checkpoint, "--quiet")
    assert run("search-thresholds", predictions, "--ann-file", truth, "--out", out, *common) == 0
    assert "24 pairs, 12 of them labelled; 1 of 80 classes" in capsys.readouterr().out
    assert list(json.loads(out.read_text())["per_class"]) == ["bicycle"]
    assert run("suppress", predictions, "--thresholds", out, "--out", tmp_path / "out.json", *common) == 0
    predictions.write_text(
        json.dumps([dict(file_name="HICO_test2015_00000099.jpg", predictions=[], hoi_prediction=[])])
    )
    assert run("search-thresholds", predictions, "--ann-file", truth, "--out", out, *common) == 2
    assert "the annotations have no such image" in capsys.readouterr().err


def test_images_outside_of_the_folder_are_not_read(command, capsys):
    for name in (f"../{NAME}", "/etc/hostname"):
        assert command(name=name)[0] == 2
        error = capsys.readouterr().err
        assert "predictions.json: entry 0" in error and "file_name leads out of the image folder" in error
