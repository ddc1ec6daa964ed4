"""H-Deformable-DETR: every official name has its place in our model, with its shape."""

import re

import pytest
import torch
from mmdet.models.backbones.swin import swin_converter
from mmengine.config import Config

from hqm_mmdet.apis.conversion import read_complete
from hqm_mmdet.checkpoints import ConversionError, convert_state_dict
from hqm_mmdet.checkpoints.h_detr import as_mmdet_merges
from hqm_mmdet.registry import MODELS
from tests.models.reference import CONFIGS, load_json


def blank(shapes):
    """Tensors that take no memory, nor room in a file."""
    return {name: torch.zeros(()).expand(shape) for name, shape in shapes.items()}


@pytest.mark.parity
def test_pvic_on_resnet(reference_dir, tmp_path):
    """From the file to the config that fits it, which tells of the official index of states."""
    shapes = load_json(reference_dir, "pvic", "advanced_detector_keys.json")
    head = load_json(reference_dir, "pvic", "pvic_hico_keys.json")
    head = {name: shape for name, shape in head.items() if not name.startswith("detector.")}
    torch.save(dict(model_state_dict=blank(shapes["h_detr_r50"] | head)), tmp_path / "official.pth")
    checkpoint, report, config = read_complete(tmp_path / "official.pth")
    assert (report.source, config) == ("pvic_h_detr", "pvic_h_detr_r50_hico") and not report.missing
    assert not report.dropped
    assert checkpoint.config().model.instances.official_feature_index


@pytest.mark.parity
def test_a_detector_on_swin(reference_dir):
    """Blocks of one stage have the same shapes, so one of each stands for all; and COCO's classes become 80."""
    shapes = load_json(reference_dir, "pvic", "advanced_detector_keys.json")["h_detr_swin_large"]
    official = blank({name.removeprefix("detector."): shape for name, shape in shapes.items()})
    for name, value in official.items():
        if "class_embed" in name:
            official[name] = torch.zeros(()).expand(91, *value.shape[1:])
    converted, report = convert_state_dict(official)
    assert report.source == "h_detr" and not report.dropped and len(report.added) == 14
    model = Config.fromfile(CONFIGS / "pvic_h_detr_swin_l_hico.py").model.instances.detector
    model.backbone.depths = [1, 1, 1, 1]
    own = {name: value.shape for name, value in MODELS.build(model).state_dict().items()}
    depths = [0] * 4
    for name, value in converted.items():
        if block := re.match(r"backbone\.stages\.(\d)\.blocks\.(\d+)\.", name):
            depths[int(block[1])] = max(depths[int(block[1])], int(block[2]) + 1)
        first = re.sub(r"\.blocks\.\d+\.", ".blocks.0.", name)
        assert own[first] == value.shape, name
    assert depths == [2, 2, 18, 2]
    assert set(own) == {re.sub(r"\.blocks\.\d+\.", ".blocks.0.", name) for name in converted}


def test_merged_patches_are_laid_as_mmdet_s():
    torch.manual_seed(0)
    for part in ("reduction.weight", "norm.weight", "norm.bias"):
        tensor = torch.rand(6, 12) if part == "reduction.weight" else torch.rand(12)
        (theirs,) = swin_converter({f"layers.0.downsample.{part}": tensor}).values()
        assert torch.equal(as_mmdet_merges(f"backbone.stages.0.downsample.{part}", tensor), theirs)
    assert as_mmdet_merges("backbone.stages.0.blocks.0.norm1.weight", tensor) is tensor


@pytest.mark.parametrize("contents", (None, (300, 512)))
def test_another_deformable_detr_is_refused(contents):
    state = blank({"transformer.level_embed": (4, 256), "transformer.enc_output.weight": (256, 256)})
    if contents:
        state["query_embed.weight"] = torch.zeros(contents)
    with pytest.raises(ConversionError, match="is no H-Deformable-DETR.*mixed selection"):
        convert_state_dict(state)
