"""UPT and PViC on a detector, as a checkpoint: one's own images, publishing, ONNX; what can't be says why not."""

import json
import re
import shutil

import numpy as np
import pytest
import torch
from mmengine.config import Config

from hqm_mmdet.apis import build_model, init_model
from hqm_mmdet.apis.deployment import ExportError, export_onnx, publish_checkpoint
from hqm_mmdet.apis.deployment.export import compare, graph_of, module_of
from hqm_mmdet.apis.inference import HOIInferencer
from hqm_mmdet.apis.inference.attention import AttentionError
from hqm_mmdet.checkpoints import write_checkpoint
from hqm_mmdet.structures import HOIDataSample
from tests.conftest import REPOSITORY
from tests.models.pair_transformers.small import HEADS, small_model
from tests.models.reference import CONFIGS
from tests.models.tiny import tiny_model
from tests.models.two_stage.test_detector_instances import CLASSES, THEIRS, detr
from tests.models.two_stage.test_given_boxes import provider_of


@pytest.fixture(scope="module", params=("upt", "pvic"))
def checkpoint(request, tmp_path_factory):
    cfg = Config.fromfile(CONFIGS / f"{request.param}_hqm_toy.py")
    cfg.model.instances = dict(
        type="DetectorFeatures", detector=detr(), classes=CLASSES, detector_classes=THEIRS, frozen=True
    )
    cfg.model.bbox_head.update(**HEADS[request.param], in_channels=32, map_channels=64)
    cfg.model.query_mining.miners.gbs.embed_dims = 16
    torch.manual_seed(9)
    model = build_model(cfg)
    detector = model.instances.detector  # that it sees several things in noise, persons among them
    detector.bbox_head.fc_cls.weight.data.mul_(30)
    detector.bbox_head.fc_cls.bias.data[8] = 4
    detector.query_embedding.weight.data.mul_(3)
    detector.decoder.layers[0].cross_attn.attn.in_proj_weight.data.mul_(12)
    file = tmp_path_factory.mktemp("checkpoint") / "pairs.pth"
    write_checkpoint(file, model.state_dict(), dict(cfg=cfg.pretty_text))
    return file


def test_one_s_own_images_and_published_files(checkpoint, tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (100, 120, 3), dtype=np.uint8)
    publish_checkpoint(checkpoint, tmp_path / "small", formats=("safetensors",))
    (published,) = tmp_path.glob("small-*.safetensors")
    results = []
    for file in (checkpoint, published):
        result = HOIInferencer(weights=str(file), show_progress=False)(image, return_vis=True)
        assert len(result["visualization"]) == 1 and not result["failures"]
        results.append(result["predictions"][0])
    assert results[0] == results[1]


def test_what_is_not_there_says_so(checkpoint):
    inferencer = HOIInferencer(weights=str(checkpoint), show_progress=False)
    with pytest.raises(AttentionError, match="A PairTransformerHOI has no queries"):
        inferencer.attention(np.zeros((96, 96, 3), np.uint8))


@pytest.fixture(scope="module")
def onnxruntime():
    pytest.importorskip("onnx", reason="needs the extra [export]")
    return pytest.importorskip("onnxruntime", reason="needs the extra [export]")


def named(session, found):
    return {output.name: torch.from_numpy(value) for output, value in zip(session.get_outputs(), found, strict=True)}


def predicted(model, pixels):
    """Of BGR pixels (3, H, W), boxes relative to the image."""
    sample = HOIDataSample(metainfo=dict(img_shape=tuple(pixels.shape[1:]), ori_shape=(1, 1)))
    return model.test_step(dict(inputs=[pixels], data_samples=[sample]))[0].pred_pairs


def agree(found, pairs):
    assert len(pairs) == len(found["obj_labels"]) > 1 and torch.equal(found["obj_labels"], pairs.obj_labels)
    for ours, theirs in (("sub_boxes", "sub_bboxes"), ("obj_boxes", "obj_bboxes"), ("verb_scores", "verb_scores")):
        torch.testing.assert_close(found[ours], pairs[theirs], rtol=0, atol=1e-4)


@pytest.mark.parametrize("checkpoint", ("upt",), indirect=True)
def test_a_graph_with_its_detector_does_what_predict_does(checkpoint, onnxruntime, tmp_path):
    exported = export_onnx(None, checkpoint, tmp_path / "whole.onnx")
    assert exported.inputs == ("image",) and max(exported.differences.values()) < 1e-4
    pixels = torch.randint(256, (3, 130, 222), dtype=torch.uint8, generator=torch.Generator().manual_seed(5))
    pairs = predicted(init_model(None, checkpoint), pixels)
    session = onnxruntime.InferenceSession(tmp_path / "whole.onnx")
    agree(named(session, session.run(None, dict(image=pixels.flip(0)[None].float().numpy()))), pairs)


@pytest.mark.parametrize("checkpoint", ("pvic",), indirect=True)
def test_a_head_takes_instances_of_any_number(checkpoint, onnxruntime, tmp_path, monkeypatch):
    """What docs/export.md does: instances of the detector in PyTorch, pairs of the graph."""
    shutil.copy(checkpoint, tmp_path / "pvic.pth")
    exported = export_onnx(None, checkpoint, tmp_path / "head.onnx", head_only=True)
    assert exported.inputs == ("boxes", "scores", "labels", "features", "image_size", "map0")
    page = (REPOSITORY / "docs" / "export.md").read_text(encoding="utf-8")
    code = re.findall(r"```python\n(.+?)```", page, re.DOTALL)[1]
    pixels = torch.randint(256, (3, 130, 222), dtype=torch.uint8, generator=torch.Generator().manual_seed(5))
    monkeypatch.chdir(tmp_path)
    names = dict(pixels=pixels)
    exec(code, names)
    model, session, feeds = (names[name] for name in ("model", "session", "feeds"))
    agree(named(session, names["pairs"]), predicted(model, pixels))
    selection = json.loads(session.get_modelmeta().custom_metadata_map["selection"])
    assert selection["nms_iou"] == model.selection.nms_iou and selection["max_instances"] == 15
    for rows in ([], [0], feeds["labels"].nonzero()[:, 0].tolist()):  # nothing, one instance, no person
        few = {name: value[rows] for name, value in feeds.items() if name not in ("image_size", "map0")}
        found = session.run(None, {name: value.numpy() for name, value in (feeds | few).items()})
        assert all(len(value) == 0 for value in found)


def test_a_graph_with_deformable_attention(onnxruntime):
    """DINO; its encoder's proposals, its scores of classes and positions of several maps are free in number."""
    model = small_model("upt", **{"model.bbox_head.in_channels": 256, "model.bbox_head.map_channels": 64}).eval()
    model.instances = provider_of("dino")
    module = module_of(model).eval()
    examples = module.examples(torch.Generator().manual_seed(0), ((96, 128), (130, 98)))
    assert max(compare(graph_of(module, {}), module, examples).values()) < 1e-4


def test_without_a_query_detector_the_graph_is_the_head():
    assert type(module_of(small_model("pvic"))).__name__ == "InstancesToPairs"


def test_what_has_no_place_in_a_graph_says_so(checkpoint):
    model = init_model(None, checkpoint)
    model.instances.scale = (640, 480)
    with pytest.raises(ExportError, match="instances.scale=None"):
        module_of(model)
    with pytest.raises(ExportError, match="bbox_head.num_blocks=2"):
        module_of(small_model("pvic", **{"model.bbox_head.num_blocks": 2}))
    with pytest.raises(ExportError, match="A TwoStageHOI is not exported"):
        module_of(build_model(Config.fromfile(CONFIGS / "tin_toy.py")))
    with pytest.raises(ExportError, match="--head is for UPT and PViC"):
        module_of(tiny_model(), head_only=True)
