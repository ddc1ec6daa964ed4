"""A two-stage model on an mmdet DETR with random weights."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

from hqm_mmdet.apis import build_model
from hqm_mmdet.apis.inference import HOIInferencer
from hqm_mmdet.checkpoints.files import write_checkpoint
from hqm_mmdet.models.two_stage import DetectorInstances
from hqm_mmdet.registry import MODELS
from hqm_mmdet.structures import ClassNameError
from tests.models.tiny import random_batch

CONFIGS = Path(__file__).parents[3] / "configs"
CLASSES = ("person", "ball", "bicycle", "box", "chair", "cup", "horse", "umbrella")


def detr():
    """mmdet's DETR, small, 9 classes of its own."""
    attention = dict(embed_dims=32, num_heads=4, dropout=0.0)
    ffn = dict(embed_dims=32, feedforward_channels=32, num_fcs=2, ffn_drop=0.0)
    return dict(
        type="mmdet.DETR",
        num_queries=7,
        data_preprocessor=dict(type="DetDataPreprocessor", mean=[9.0] * 3, std=[5.0] * 3, bgr_to_rgb=False),
        backbone=dict(type="mmdet.ResNet", depth=18, num_stages=1, strides=(1,), dilations=(1,), out_indices=(0,)),
        neck=dict(type="mmdet.ChannelMapper", in_channels=[64], out_channels=32, kernel_size=1, num_outs=1),
        encoder=dict(num_layers=1, layer_cfg=dict(self_attn_cfg=attention, ffn_cfg=ffn)),
        decoder=dict(
            num_layers=1,
            layer_cfg=dict(self_attn_cfg=attention, cross_attn_cfg=attention, ffn_cfg=ffn),
            return_intermediate=True,
        ),
        positional_encoding=dict(num_feats=16, normalize=True),
        bbox_head=dict(
            type="mmdet.DETRHead", num_classes=9, embed_dims=32, loss_cls=dict(type="mmdet.CrossEntropyLoss")
        ),
        train_cfg=dict(
            assigner=dict(
                type="mmdet.HungarianAssigner",
                match_costs=[dict(type="mmdet.ClassificationCost"), dict(type="mmdet.BBoxL1Cost", weight=5.0)],
            )
        ),
        test_cfg=dict(max_per_img=7),
    )


THEIRS = ("sky", "umbrella", "horse", "cup", "chair", "box", "bicycle", "ball", "Person")


def model(**options):
    cfg = Config.fromfile(CONFIGS / "tin_toy.py")
    provider = dict(type="DetectorInstances", detector=detr(), classes=CLASSES, detector_classes=THEIRS, **options)
    cfg.model.instances = provider
    cfg.model.pair_sampler.update(fallback=4)
    torch.manual_seed(0)
    return build_model(cfg)


def test_boxes_have_the_labels_of_the_data_set_and_lie_in_the_network_s_frame():
    host = model().eval()
    inputs, samples = random_batch([1, 1], sizes=[(64, 80), (48, 40)])
    found = host.instances(inputs, samples, host.data_preprocessor)
    for instances, sample in zip(found, samples, strict=True):
        height, width = sample.img_shape
        assert ((instances.labels >= 0) & (instances.labels < 8)).all()
        assert (instances.bboxes[:, 2] <= width + 1e-3).all() and (instances.bboxes[:, 3] <= height + 1e-3).all()


def test_training_and_inference_run_and_the_detector_stays_frozen():
    host = model().train()
    assert not host.instances.detector.training
    batch = random_batch([1])
    batch[1][0].gt_pairs.verb_labels = torch.nn.functional.pad(batch[1][0].gt_pairs.verb_labels, (0, 6))[:, :11]
    sum(host(*batch, mode="loss").values()).backward()
    assert all(parameter.grad is None for parameter in host.instances.parameters())
    host.eval()(*random_batch([1]), mode="predict")


def annotated(labels=(0, 3)):
    """A batch whose boxes have labels of the data set and verbs of the toy set."""
    inputs, samples = random_batch([1])
    pairs, instances = samples[0].gt_pairs, samples[0].gt_instances
    pairs.verb_labels = torch.nn.functional.pad(pairs.verb_labels, (0, 6))[:, :11]
    instances.labels = torch.tensor(labels)[: len(instances)]
    return inputs, samples


def test_a_detector_that_is_not_frozen_learns_from_the_annotated_boxes():
    host = model(frozen=False, loss_weight=0.5).train()
    losses = host(*annotated(), mode="loss")
    own = {name: value for name, value in losses.items() if name.startswith("instances.")}
    assert {"instances.loss_cls", "instances.loss_bbox", "instances.loss_iou"} <= set(own)
    assert host.instances.detector.training  # boxes were found in evaluation mode
    total, _ = host.parse_losses(losses)
    total.backward()
    assert all(parameter.grad is not None for parameter in host.instances.detector.bbox_head.parameters())
    whole = model(frozen=False).train()
    torch.testing.assert_close(whole(*annotated(), mode="loss")["instances.loss_bbox"], 2 * own["instances.loss_bbox"])


def test_joint_tuning_teaches_the_detector():
    host = model(frozen=False, scale=(160, 128)).train()
    optimizer = torch.optim.AdamW(host.instances.parameters(), lr=3e-3)
    history = []
    for _ in range(12):
        losses = host.instances.loss(*annotated(), host.data_preprocessor)
        total, _ = host.parse_losses(losses)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        history.append(float(total))
    assert history[-1] < 0.8 * history[0]


def test_labels_and_boxes_reach_the_detector_as_it_knows_them():
    host = model(frozen=False, scale=(160, 128)).train()
    _, (sample,) = annotated()
    labelled = host.instances._labelled(sample.gt_instances, (128, 160), 2.0).gt_instances
    assert [THEIRS[label].lower() for label in labelled.labels] == [CLASSES[i] for i in sample.gt_instances.labels]
    torch.testing.assert_close(labelled.bboxes, 2 * sample.gt_instances.bboxes)


def test_a_resized_image_gives_boxes_in_the_former_frame():
    provider = MODELS.build(dict(type="DetectorInstances", detector=detr(), scale=(160, 128))).eval()
    image = torch.rand(3, 64, 80) * 255
    boxes = provider._detect(image).bboxes
    assert len(boxes) and boxes[:, 2].max() <= 80 + 1e-3


def test_one_s_own_images(tmp_path):
    host = model()
    write_checkpoint(tmp_path / "tin.pth", host.state_dict(), dict(cfg=host.cfg.pretty_text))
    image = np.random.default_rng(0).integers(0, 256, (100, 120, 3), dtype=np.uint8)
    result = HOIInferencer(weights=str(tmp_path / "tin.pth"), show_progress=False)(image, return_vis=True)
    assert len(result["predictions"]) == len(result["visualization"]) == 1 and not result["failures"]


def test_a_detector_must_know_the_classes():
    with pytest.raises(ClassNameError, match=r"lack \['zebra'\]"):
        DetectorInstances(detr(), classes=("person", "zebra"), detector_classes=THEIRS)
    with pytest.raises(ClassNameError, match="names no classes"):
        DetectorInstances(detr(), classes=("person",))
    with pytest.raises(FileNotFoundError, match="none.py"):
        DetectorInstances("none.py")
