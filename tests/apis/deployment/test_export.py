"""Exported detectors compute in onnxruntime what they compute in PyTorch, for images of any size."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from hqm_mmdet.apis import HOIInferencer, build_model, init_model
from hqm_mmdet.apis.deployment import export
from hqm_mmdet.apis.deployment.export import compare, export_onnx, graph_of
from hqm_mmdet.apis.deployment.graph import PAIR_OUTPUTS, ExportError
from hqm_mmdet.apis.deployment.image_to_pairs import ImageToPairs
from hqm_mmdet.structures import HOIDataSample
from tests.apis.toy_checkpoint import toy_config, write_toy_checkpoint
from tests.conftest import REPOSITORY
from tests.models.tiny import tiny_model

pytest.importorskip("onnx", reason="needs the extra [export]")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra [export]")

SIZES = ((64, 64), (33, 200), (97, 63), (160, 96))


@pytest.mark.parametrize("detector", ("QPIC", "CDN", "ConditionalHOI"))
def test_detectors_agree_with_pytorch(detector):
    module = ImageToPairs(tiny_model(type=detector).eval()).eval()
    examples = module.examples(torch.Generator().manual_seed(0), SIZES)
    assert max(compare(graph_of(module, {}), module, examples).values()) < export.TOLERANCE


def test_hotr_agrees_with_pytorch():
    config = toy_config("hotr_toy")
    config.model.bbox_head.merge_queries = False
    module = ImageToPairs(init_model(config)).eval()
    examples = module.examples(torch.Generator().manual_seed(0), ((64, 64), (98, 204)))
    assert max(compare(graph_of(module, {}), module, examples).values()) < export.TOLERANCE


@pytest.mark.parametrize("name", ["genvlkt_s_toy", "hoiclip_toy"])
def test_scores_of_hoi_classes_agree_with_pytorch(name, tmp_path):
    """The weights hold CLIP's part; its files are needed no more."""
    torch.manual_seed(0)
    model = build_model(toy_config(name), initialise=False)
    torch.save({"state_dict": model.state_dict(), "meta": {}}, tmp_path / "model.pth")
    exported = export_onnx(toy_config(name), tmp_path / "model.pth", tmp_path / "model.onnx")
    assert set(exported.differences) == {*PAIR_OUTPUTS, "hoi_scores", "hoi_probs"}
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    views = {"hoiclip_toy": {"clip_image": [1, 3, 64, 64]}}.get(name, {})
    assert {i.name: i.shape for i in session.get_inputs()} == {"image": [1, 3, "height", "width"], **views}
    hois = json.loads(session.get_modelmeta().custom_metadata_map["hois"])
    assert len(hois) == 34 and ["wave", None] in hois


@pytest.mark.parametrize("bgr_to_rgb", (True, False))
def test_pixels_to_pairs_is_what_predict_does(bgr_to_rgb):
    model = tiny_model().eval()
    model.data_preprocessor = type(model.data_preprocessor)(mean=[1, 2, 3], std=[4, 5, 6], bgr_to_rgb=bgr_to_rgb)
    bgr = torch.randint(256, (3, 48, 80), dtype=torch.uint8)
    sample = HOIDataSample(metainfo=dict(img_shape=(48, 80), ori_shape=(48, 80)))
    expected = model.test_step(dict(inputs=[bgr], data_samples=[sample]))[0].pred_pairs
    sub, obj, labels, scores, verbs = ImageToPairs(model)(bgr.flip(0)[None].float())
    scale = torch.tensor([80, 48, 80, 48])
    torch.testing.assert_close(sub * scale, expected.sub_bboxes)
    torch.testing.assert_close(obj * scale, expected.obj_bboxes)
    torch.testing.assert_close(verbs, expected.verb_scores)
    assert torch.equal(labels, expected.obj_labels) and torch.equal(scores, expected.obj_scores)


def test_what_has_no_place_in_a_graph_is_refused():
    model = tiny_model()
    model.bbox_head.pair_nms = object()
    with pytest.raises(ExportError, match="pair_nms=None"):
        ImageToPairs(model)
    model = tiny_model()
    model.bbox_head.merge_queries = True
    with pytest.raises(ExportError, match="merge_queries=False"):
        ImageToPairs(model)
    model = tiny_model()
    model.data_preprocessor.pad_size_divisor = 32
    with pytest.raises(ExportError, match="pad_size_divisor"):
        ImageToPairs(model)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Checkpoint with mining, and the file made of it."""
    folder = tmp_path_factory.mktemp("exported")
    checkpoint = write_toy_checkpoint(folder / "epoch_3.pth")
    assert max(export_onnx(None, checkpoint, folder / "toy.onnx").differences.values()) < export.TOLERANCE
    return checkpoint, folder / "toy.onnx"


def test_metadata_and_shapes(exported):
    session = onnxruntime.InferenceSession(exported[1])
    assert [i.shape for i in session.get_inputs()] == [[1, 3, "height", "width"]]
    assert [o.name for o in session.get_outputs()] == [*PAIR_OUTPUTS, "verb_scores"]
    meta = session.get_modelmeta().custom_metadata_map
    assert json.loads(meta["resize"]) == {"scale": [96, 96], "keep_ratio": False}
    assert json.loads(meta["classes"])[0] == "person" and len(json.loads(meta["verbs"])) == 11


def test_the_page_runs_the_file_without_mmdet(exported, tmp_path):
    """docs/export.md prints what the inferencer finds, where neither this package, mmdet nor torch can be imported."""
    checkpoint, file = exported
    page = (REPOSITORY / "docs" / "export.md").read_text(encoding="utf-8")
    code = re.findall(r"```python\n(.+?)```", page, re.DOTALL)[0]
    pixels = np.random.default_rng(0).integers(256, size=(96, 96, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "noise.png")
    (pairs,) = (sample.pred_pairs for sample in raw_predictions(checkpoint, pixels))
    threshold = pairs.verb_scores.flatten().sort().values[-5:-3].mean().item()  # four pass
    (tmp_path / "run.py").write_text(code.replace("> 0.3", f"> {threshold}"))
    for name in ("torch", "mmdet", "mmengine", "hqm_mmdet"):
        (tmp_path / f"{name}.py").write_text("raise ImportError\n")
    command = [sys.executable, "run.py", file, "noise.png"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    scores = [float(re.search(r" (0\.\d+) ", line)[1]) for line in re.sub(r"\n +", " ", done.stdout).splitlines()]
    expected = pairs.verb_scores[pairs.verb_scores > threshold].tolist()
    assert len(lines) >= 4 and scores == pytest.approx(expected, abs=1e-4)


def raw_predictions(checkpoint, pixels):
    inferencer = HOIInferencer(None, checkpoint, "cpu", show_progress=False, merge_iou=None)
    return [prediction.sample for prediction in inferencer.stream([pixels[..., ::-1].copy()])]


def test_different_numbers_are_not_written(monkeypatch, exported, tmp_path):
    monkeypatch.setattr(export, "TOLERANCE", -1.0)
    with pytest.raises(ExportError, match="other numbers than PyTorch"):
        export_onnx(toy_config(), exported[0], tmp_path / "x.onnx")
    assert not list(tmp_path.iterdir())


def test_missing_packages_are_named(monkeypatch, exported, tmp_path):
    monkeypatch.setattr(export.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ExportError, match="pip install onnx onnxruntime"):
        export_onnx(None, exported[0], tmp_path / "x.onnx")
