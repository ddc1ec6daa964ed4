"""H-Deformable-DETR: contents of queries are learned, those of the one-to-many branch idle."""

import pytest
import torch
from mmengine.config import Config

from hqm_mmdet.models.two_stage import DetectorFeatures
from tests.models.reference import CONFIGS
from tests.models.two_stage.test_detector_features import batch, preprocessor


@pytest.fixture
def provider():
    torch.manual_seed(0)
    model = Config.fromfile(CONFIGS / "pvic_h_detr_r50_hico.py").model.instances.detector
    model.update(num_queries=9, num_one2many=5)
    model.backbone.update(depth=18, base_channels=8, stem_channels=8)
    model.neck.in_channels = [16, 32, 64]
    model.encoder.num_layers = model.decoder.num_layers = 1
    model.bbox_head.num_classes = 5
    provider = DetectorFeatures(model).eval()
    torch.nn.init.normal_(provider.detector.level_embed)
    return provider


def seen(provider):
    (scene,) = provider(*batch((80, 96)), preprocessor())
    return scene


def test_contents(provider):
    before, contents = seen(provider), provider.detector.query_embedding.weight.data
    assert contents.shape == (14, 256) and before.pool is None  # a query is more than its box
    assert before.instances.bboxes.unique(dim=0).shape[0] <= 9
    contents[9:] += 1
    assert torch.equal(seen(provider).instances.features, before.instances.features)
    contents[:9] += torch.randn(9, 256)
    assert not torch.allclose(seen(provider).instances.features, before.instances.features, atol=0.1)
