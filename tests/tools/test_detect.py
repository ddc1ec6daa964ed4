"""tools/detect.py: a detector's boxes become a file that data sets read."""

import json

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from PIL import Image

from hqm_mmdet.apis.detect import write_detections
from hqm_mmdet.datasets.detection_files import ClassMap, read_detections
from hqm_mmdet.registry import MODELS
from tests.models.two_stage.test_detector_instances import THEIRS, detr


@pytest.fixture
def detector(tmp_path):
    """Config and checkpoint of a small mmdet DETR, and two images."""
    model = detr()
    pipeline = [
        dict(type="LoadImageFromFile"),
        dict(type="Resize", scale=(80, 64), keep_ratio=True),
        dict(type="PackDetInputs", meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor")),
    ]
    test = dict(dataset=dict(type="CocoDataset", pipeline=pipeline))
    evaluator = dict(type="CocoMetric")
    config = Config(dict(default_scope="mmdet", model=model, test_dataloader=test, test_evaluator=evaluator))
    config.dump(tmp_path / "detr.py")
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("hqm_mmdet"):
        weights = MODELS.build(config.model).state_dict()
    torch.save(dict(state_dict=weights, meta=dict(dataset_meta=dict(classes=THEIRS))), tmp_path / "detr.pth")
    (tmp_path / "images").mkdir()
    for name in ("toy_test_1.png", "toy_test_2.png"):
        pixels = np.random.default_rng(0).integers(0, 256, (48, 60, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / name)
    return tmp_path / "detr.py", tmp_path / "detr.pth", "--images", tmp_path / "images", "--quiet"


def test_file_is_what_a_data_set_reads(call, detector, tmp_path):
    out = tmp_path / "detections.json"
    assert call("detect", *map(str, detector), "--out", str(out), "--dataset", "toy", "--score-thr", "0") == 0
    entries = json.loads(out.read_text())
    assert {entry["image_id"] for entry in entries} == {"toy_test_1.png", "toy_test_2.png"}
    found, missing = read_detections(out, ["toy_test_1.png", "toy_test_2.png"], ClassMap(range(1, 9)))
    assert not missing and all(len(image) for image in found)
    assert all((image.boxes[:, 2] <= 60.1).all() and (image.boxes[:, 3] <= 48.1).all() for image in found)


def test_boxes_are_in_the_frame_that_the_data_set_reads(detector, tmp_path):
    """Of a photograph that is stored turned; the detector sees what the data set shows."""
    config, checkpoint, _, folder, _ = detector
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.random.default_rng(1).integers(0, 256, (48, 60, 3), dtype=np.uint8)
    for file in folder.iterdir():
        file.unlink()
    Image.fromarray(pixels).save(folder / "a.png", exif=exif)
    Image.fromarray(pixels).save(folder / "stored.png")
    Image.fromarray(np.rot90(pixels, -1).copy()).save(folder / "upright.png")
    for upright, same in ((True, "upright.png"), (False, "stored.png")):
        write_detections(config, checkpoint, folder, tmp_path / "d.json", score_thr=0, progress=False, upright=upright)
        found = {}
        for row in json.loads((tmp_path / "d.json").read_text()):
            found.setdefault(row.pop("image_id"), []).append(row)
        assert found["a.png"] == found[same] and found["a.png"]


def test_what_is_missing_is_named(call, detector, tmp_path, capsys):
    out = ("--out", str(tmp_path / "detections.json"))
    assert call("detect", "none.py", *map(str, detector[1:]), *out) == 2
    assert "none.py does not exist" in capsys.readouterr().err
    assert call("detect", *map(str, detector), *out, "--dataset", "hico") == 2
    assert "classes lack" in capsys.readouterr().err
