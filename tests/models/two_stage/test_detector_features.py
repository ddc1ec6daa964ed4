"""Instances with features from mmdet's own configs of different kinds, with random weights."""

from pathlib import Path

import mmdet
import pytest
import torch
from mmengine.config import Config
from mmengine.structures import InstanceData

from hqm_mmdet.errors import ConfigError
from hqm_mmdet.models.two_stage import DetectorFeatures, InstanceError, MissingDetections, PooledFeatures
from hqm_mmdet.models.two_stage.feature_readers import _levels, pool_boxes
from hqm_mmdet.registry import MODELS
from hqm_mmdet.structures import ClassNameError, HOIDataSample
from tests.models.two_stage.test_detector_instances import CLASSES, THEIRS, detr

MMDET = Path(mmdet.__file__).parent / ".mim" / "configs"
needs_configs = pytest.mark.skipif(not MMDET.is_dir(), reason="this mmdet brings no configs along")
# config, width of its features, side of the test's image
KINDS = {
    "detr/detr_r50_8xb2-150e_coco.py": (256, 64),
    "dab_detr/dab-detr_r50_8xb2-50e_coco.py": (256, 64),
    "dino/dino-4scale_r50_8xb2-12e_coco.py": (256, 224),
    "faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py": (1024, 64),
    "retinanet/retinanet_r50_fpn_1x_coco.py": (256, 75),  # no multiple of a stride
    "rtmdet/rtmdet_tiny_8xb32-300e_coco.py": (96, 75),
}


def model_of(config):
    """A model config as mmdet ships it; few layers more than one where that costs time only."""
    model = Config.fromfile(MMDET / config).model
    for part in ("encoder", "decoder"):
        if part in model and "dino" in config:
            model[part].num_layers = 1
    test_cfg = model.get("test_cfg", {})
    if "score_thr" in (final := test_cfg.get("rcnn", test_cfg)):
        final.score_thr = 0.0  # random weights are sure of nothing
    return model


def preprocessor():
    return MODELS.build(dict(type="DetDataPreprocessor"))


def batch(*sizes):
    height, width = (max(size[i] for size in sizes) for i in (0, 1))
    generator = torch.Generator().manual_seed(0)
    inputs = torch.zeros(len(sizes), 3, height, width)
    for i, (h, w) in enumerate(sizes):
        inputs[i, :, :h, :w] = torch.rand(3, h, w, generator=generator) * 255
    return inputs, [HOIDataSample(metainfo=dict(img_shape=size, img_path=f"{i}.png")) for i, size in enumerate(sizes)]


@needs_configs
@pytest.mark.parametrize("config", KINDS)
def test_mmdet_s_own_configs_give_instances_with_features(config):
    torch.manual_seed(0)
    channels, side = KINDS[config]
    provider = DetectorFeatures(model_of(config), classes=("person",), detector_classes=("person", *"abcdefg"))
    if hasattr(provider.detector, "level_embed"):  # whatever the memory held before; the rest has PyTorch's defaults
        torch.nn.init.normal_(provider.detector.level_embed)
    provider.labels = torch.arange(80)  # names were checked above; here all classes count
    provider.train()
    (scene,) = provider(*batch((side, side)), preprocessor())
    found = scene.instances
    assert len(found) > 10 and found.features.shape == (len(found), channels)
    assert found.bboxes.shape == (len(found), 4) and found.labels.max() < 80
    assert all(found[name].isfinite().all() for name in ("bboxes", "scores", "features"))
    assert scene.maps[0].shape[-2:] == scene.padding[0].shape and scene.size == (side, side)
    assert not provider.detector.training and not found.features.requires_grad
    assert not any(parameter.requires_grad for parameter in provider.parameters())
    if config.startswith(("detr", "dab_detr", "dino")):  # see test_given_boxes.py
        assert (scene.pool is None) == config.startswith("detr")
        return
    boxes, labels = found.bboxes[:3] * 0.8 + 2, found.labels[:3]
    again = scene.pool(boxes, labels)
    assert again.shape == (3, channels) and again.isfinite().all() and not again.requires_grad
    # Boxes do not see each other.
    torch.testing.assert_close(again[1:2], scene.pool(boxes[1:2], labels[1:2]), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(scene.pool(found.bboxes, found.labels), found.features, rtol=1e-4, atol=1e-4)


@needs_configs
def test_a_name_of_mmdet_s_is_enough():
    """With the names of its classes."""
    provider = DetectorFeatures("retinanet/retinanet_r18_fpn_1x_coco.py", classes=("person", "sports_ball", "bicycle"))
    assert provider.labels[[0, 1, 32, 2]].tolist() == [0, 2, 1, -1]
    with pytest.raises(FileNotFoundError, match="none.py of the detector does not exist"):
        DetectorFeatures("retinanet/none.py")


def small(seed=0, **options):
    torch.manual_seed(seed)
    return DetectorFeatures(detr(), classes=CLASSES, detector_classes=THEIRS, **options).eval()


def same(ours, theirs):
    for name in ("bboxes", "labels", "scores", "features"):
        torch.testing.assert_close(ours.instances[name], theirs.instances[name], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(ours.maps[0], theirs.maps[0])


def test_a_batch_changes_nothing_unless_it_is_padded_as_official():
    inputs, samples = batch((48, 40), (64, 80), (48, 40))
    provider = small()
    together = provider(inputs, samples, preprocessor())
    for i, (height, width) in enumerate([(48, 40), (64, 80), (48, 40)]):
        (alone,) = provider(inputs[i : i + 1, :, :height, :width], samples[i : i + 1], preprocessor())
        same(together[i], alone)
        assert not together[i].padding[0].any()
    padded = small(padded_batches=True)(inputs, samples, preprocessor())
    assert len({scene.maps[0].shape for scene in padded}) == 1
    assert padded[0].padding[0].any() and not padded[1].padding[0].any()
    assert padded[0].size == (48, 40)


def test_classes_are_those_of_the_data_set_and_boxes_those_of_the_host():
    inputs, samples = batch((64, 80))
    plain, resized = small()(inputs, samples, preprocessor()), small(scale=(160, 128))(inputs, samples, preprocessor())
    for (scene,) in (plain, resized):
        assert (scene.instances.labels >= 0).all() and (scene.instances.labels < len(CLASSES)).all()
        assert scene.instances.bboxes[:, 2].max() < 100  # 80 pixels, not 160
    with pytest.raises(ClassNameError, match=r"lack \['person'\]"):
        DetectorFeatures(detr(), classes=CLASSES, detector_classes=THEIRS[:-1])


def test_the_config_stays_as_it_is():
    """mmdet's DETR head puts a tensor into its own."""
    config = detr()
    config["bbox_head"]["loss_cls"].update(class_weight=1.0, bg_cls_weight=0.1)
    before = repr(config)
    DetectorFeatures(config)
    assert repr(config) == before


def test_official_dropout_is_random_and_the_rest_is_not():
    config = detr()
    config["decoder"]["layer_cfg"]["ffn_cfg"] = dict(embed_dims=32, feedforward_channels=32, num_fcs=2, ffn_drop=0.5)
    inputs, samples = batch((64, 80))
    for active in (False, True):
        provider = DetectorFeatures(config, active_dropout=active).train()
        first, second = (provider(inputs, samples, preprocessor())[0].instances.features for _ in range(2))
        assert torch.equal(first, second) != active
        assert not provider.detector.backbone.training


@needs_configs
def test_released_deformable_models_take_states_of_other_queries():
    config = detr()
    config["bbox_head"]["loss_cls"] = dict(type="mmdet.FocalLoss", use_sigmoid=True)
    config["test_cfg"] = dict(max_per_img=7)
    inputs, samples = batch((64, 80))
    seen = []
    for official in (False, True):
        torch.manual_seed(0)
        provider = DetectorFeatures(config, official_feature_index=official).eval()
        seen.append(provider(inputs, samples, preprocessor())[0].instances)
    assert torch.equal(seen[0].scores, seen[1].scores) and not torch.equal(seen[0].features, seen[1].features)
    with pytest.raises(ConfigError, match="query detectors"):
        DetectorFeatures(model_of("retinanet/retinanet_r50_fpn_1x_coco.py"), official_feature_index=True)


def test_weights_of_a_detector_survive_the_start_of_a_training(tmp_path):
    provider = small()
    assert provider.required_parameters == ("detector.",)  # a host's checkpoint must give them
    torch.save(dict(state_dict=small(seed=1).detector.state_dict()), tmp_path / "detector.pth")
    own = small(checkpoint=str(tmp_path / "detector.pth"))
    own.init_weights()
    assert own.required_parameters == () and torch.equal(
        own.detector.neck.convs[0].conv.weight, small(seed=1).detector.neck.convs[0].conv.weight
    )
    before = {name: value.clone() for name, value in provider.state_dict().items()}
    provider.init_weights()
    assert all(torch.equal(value, before[name]) for name, value in provider.state_dict().items())


def test_what_was_seen_is_kept(tmp_path, monkeypatch):
    inputs, samples = batch((64, 80), (48, 40))
    provider = small(cache=tmp_path / "seen")
    first = provider(inputs, samples, preprocessor())
    assert len(list((tmp_path / "seen").rglob("*.safetensors"))) == 2
    monkeypatch.setattr(provider, "_see", None)  # not called again
    for ours, theirs in zip(provider(inputs, samples, preprocessor()), first, strict=True):
        same(ours, theirs)
        assert torch.equal(ours.padding[0], theirs.padding[0])
    monkeypatch.undo()
    provider.load_state_dict(small(seed=1).state_dict())
    other = provider(inputs, samples, preprocessor())
    assert not torch.equal(other[0].instances.features, first[0].instances.features)
    with pytest.raises(ConfigError, match="instances.cache"):
        small(cache=tmp_path, active_dropout=True)


@needs_configs
def test_what_has_no_reader_says_so():
    with pytest.raises(ConfigError, match="a ResNet is none of them.*PooledFeatures"):
        DetectorFeatures(dict(type="ResNet", depth=18))
    model = DetectorFeatures(model_of("dino/dino-4scale_r50_8xb2-12e_coco.py")).eval()
    with pytest.raises(InstanceError, match="900 queries.*scale="):
        model(*batch((1, 1)), preprocessor())


BACKBONE = dict(type="ResNet", depth=18, base_channels=8, stem_channels=8, norm_eval=True)


def test_boxes_of_a_file_with_features_of_a_backbone():
    provider = PooledFeatures(dict(type="StoredInstances"), BACKBONE, frozen=False)
    inputs, samples = batch((64, 80), (48, 40))
    with pytest.raises(MissingDetections, match="0.png"):
        provider(inputs, samples, preprocessor())
    for sample, count in zip(samples, (3, 0), strict=True):
        boxes = torch.tensor([[4.0, 5, 30, 40]]).repeat(count, 1)
        sample.detections = InstanceData(bboxes=boxes, labels=torch.zeros(count).long(), scores=torch.ones(count))
    first, second = provider(inputs, samples, preprocessor())
    assert first.instances.features.shape == (3, 64) and second.instances.features.shape == (0, 64)
    first.instances.features.sum().backward()
    assert provider.parts["backbone"].conv1.weight.grad.abs().sum() > 0
    frozen = PooledFeatures(dict(type="StoredInstances"), BACKBONE).train()
    assert not frozen.parts.training and not any(p.requires_grad for p in frozen.parameters())


def test_a_box_is_pooled_from_the_map_of_its_size():
    boxes = torch.tensor([[0, 0, 111.0, 111], [0, 0, 113.0, 113], [0, 0, 500.0, 500], [3, 3, 3.0, 3]])
    assert _levels(boxes, 3).tolist() == [0, 1, 2, 0]
    maps = [torch.full((1, 2, 64 // 2**i, 64 // 2**i), float(i)) for i in range(3)]
    pooled = pool_boxes(maps[::-1], [boxes[:3]], (512, 512))
    torch.testing.assert_close(pooled, torch.tensor([[0.0, 0], [1, 1], [2, 2]]))
    with pytest.raises(ConfigError, match=r"\[2, 3\] channels"):
        pool_boxes([torch.zeros(1, 2, 4, 4), torch.zeros(1, 3, 2, 2)], [boxes], (64, 64))
