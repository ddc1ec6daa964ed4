"""Query detectors decode boxes that are given to them, each by itself and unseen by the detector's own queries."""

import pytest
import torch
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy

from hqm_mmdet.models.two_stage import DetectorFeatures
from tests.models.two_stage.test_detector_features import MMDET, batch, model_of, preprocessor

pytestmark = pytest.mark.skipif(not MMDET.is_dir(), reason="this mmdet brings no configs along")
FOLDER = "deformable_detr/deformable-detr"
KINDS = {
    "dab": "dab_detr/dab-detr_r50_8xb2-50e_coco.py",
    "deformable": f"{FOLDER}-refine-twostage_r50_16xb2-50e_coco.py",
    "dino": "dino/dino-4scale_r50_8xb2-12e_coco.py",
    "conditional": "conditional_detr/conditional-detr_r50_8xb2-50e_coco.py",
    "one stage": f"{FOLDER}-refine_r50_16xb2-50e_coco.py",
}


def provider_of(kind):
    """mmdet's config with a small backbone, one layer and 12 queries."""
    torch.manual_seed(0)
    model = model_of(KINDS[kind])
    model.num_queries = 12
    for part in ("encoder", "decoder"):
        model[part].num_layers = 1 if part == "encoder" else 2
    narrow = dict(depth=18, base_channels=8, stem_channels=8, init_cfg=None)
    model.backbone.update(narrow)
    model.neck.in_channels = [width // 32 for width in model.neck.in_channels]
    if kind in ("dab", "conditional"):
        model.neck.in_channels = [64]
    model.bbox_head.num_classes = 5
    provider = DetectorFeatures(model)
    if hasattr(provider.detector, "level_embed"):  # whatever the memory held before
        provider.detector.level_embed.data.zero_()
    for parameter in provider.detector.parameters():  # far from any initialisation, in which much is zero
        parameter.data.add_(torch.randn_like(parameter) * 0.03)
    return provider.eval()


@pytest.fixture(scope="module", params=("dab", "deformable", "dino"))
def provider(request):
    return provider_of(request.param)


BOXES, LABELS = torch.tensor([[5.0, 9, 60, 70], [20, 20, 90, 50], [0, 0, 96, 80]]), torch.tensor([0, 3, 0])


def test_each_box_by_itself(provider):
    inputs, samples = batch((80, 96), (80, 96))
    first, second = provider(inputs, samples, preprocessor())
    states = first.pool(BOXES, LABELS)
    assert states.shape == (3, first.instances.features.shape[1]) and states.isfinite().all()
    torch.testing.assert_close(states[1:2], first.pool(BOXES[1:2], LABELS[1:2]), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(states, second.pool(BOXES, LABELS), atol=1e-3)  # of another image
    assert not torch.allclose(states, first.pool(BOXES * 0.8, LABELS), atol=1e-3)
    assert first.pool(BOXES[:0], LABELS[:0]).shape == (0, states.shape[1])
    # The pixels' edge, and boxes without area, are boxes, too.
    assert first.pool(torch.tensor([[0.0, 0, 0, 0], [-9, -9, 200, 200]]), LABELS[:2]).isfinite().all()


def test_own_queries_do_not_see_them(provider, monkeypatch):
    decoder, seen = provider.detector.decoder, []
    forward = decoder.forward
    monkeypatch.setattr(decoder, "forward", lambda *args, **kwargs: seen.append(forward(*args, **kwargs)) or seen[-1])
    (scene,) = provider(*batch((80, 96)), preprocessor())
    scene.pool(BOXES, LABELS)
    alone, beside = (states[0] for states in seen)
    torch.testing.assert_close(beside[:, :, 3:], alone, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ("dab", "deformable"))
def test_the_box_of_a_query_gives_the_query_s_state(kind, monkeypatch):
    """Where nothing is told by others: a query and its twin would see each other's."""
    provider = provider_of(kind)
    for layer in provider.detector.decoder.layers:
        layer.self_attn.forward = lambda query, **_: query
    decoder, seen = provider.detector.decoder, []
    forward = decoder.forward

    def watched(*args, **kwargs):
        seen.append((kwargs.get("reference_points"), kwargs["query_pos"], forward(*args, **kwargs)))
        return seen[-1][-1]

    monkeypatch.setattr(decoder, "forward", watched)
    (scene,) = provider(*batch((80, 96)), preprocessor())
    references, positions, (states, _) = seen[0]
    boxes = positions.sigmoid() if references is None else references
    boxes = bbox_cxcywh_to_xyxy(boxes[0]) * torch.tensor([96.0, 80] * 2)
    inside = ((boxes >= 0) & (boxes <= torch.tensor([96.0, 80] * 2))).all(1)
    assert inside.sum() > 2
    ours = scene.pool(boxes[inside], torch.zeros(int(inside.sum()), dtype=torch.long))
    torch.testing.assert_close(ours, states[-1][0][inside], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kind", ("conditional", "one stage"))
def test_where_queries_are_no_boxes_there_are_none(kind):
    (scene,) = provider_of(kind)(*batch((80, 96)), preprocessor())
    assert scene.pool is None
