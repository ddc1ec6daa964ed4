"""Matching and losses of instances and pointers, against independent formulas."""

import pytest
import torch
import torch.nn.functional as F
from mmdet.models.losses.focal_loss import py_sigmoid_focal_loss
from mmengine.structures import InstanceData

from hqm_mmdet.models import InteractionCost, PointedClassCost, PointerCost, VerbFocalLoss
from hqm_mmdet.registry import TASK_UTILS
from hqm_mmdet.structures import cxcywh_to_xyxy
from tests.models.tiny import NUM_QUERIES, random_batch
from tests.models.tiny_hotr import COLUMNS, NUM_INSTANCES, NUM_LOGITS, tiny_hotr

DETR_COSTS = [
    dict(type="ClassificationCost", weight=1.0),
    dict(type="BBoxL1Cost", weight=5.0, box_format="xywh"),
    dict(type="IoUCost", weight=2.0, iou_mode="giou"),
]


@pytest.fixture(params=([3, 0, 5], [1, 4]), ids=str)
def case(request):
    """Head, samples, raw predictions, targets and assignment."""
    model, batch = (
        tiny_hotr(),
        random_batch(request.param, absent=1, sizes=[(64, 80), (96, 48), (80, 80)][: len(request.param)]),
    )
    with torch.no_grad():
        preds = model(*batch, mode="tensor")
    targets = model.bbox_head.targets(batch[1])
    return model.bbox_head, batch[1], preds, targets, model.bbox_head.assign(preds, targets)


def test_instances_are_matched_as_mmdet_does(case):
    _, samples, preds, _, assigned = case
    assigner = TASK_UTILS.build(dict(type="HungarianAssigner", match_costs=DETR_COSTS))
    matched = assigned.instances
    for layer in range(2):
        for i, sample in enumerate(samples):
            height, width = sample.img_shape
            boxes = cxcywh_to_xyxy(preds["instance_boxes"][layer, i]) * torch.tensor([width, height, width, height])
            annotated = InstanceData(
                bboxes=sample.gt_instances.bboxes, labels=torch.tensor(COLUMNS)[sample.gt_instances.labels]
            )
            predicted = InstanceData(scores=preds["instance_logits"][layer, i], bboxes=boxes)
            expected = assigner.assign(predicted, annotated, dict(img_shape=sample.img_shape)).gt_inds
            ours, chosen = torch.zeros(NUM_INSTANCES, dtype=torch.long), matched.image == i
            ours[matched.query[layer, chosen]] = matched.target[layer, chosen] + 1
            assert torch.equal(ours, expected)


def test_instance_losses_are_detrs(case):
    head, _, preds, targets, assigned = case
    losses = head.loss(preds, targets, assigned)
    matched, instances = assigned.instances, targets.instances
    weights = torch.tensor([1.0] * (NUM_LOGITS - 1) + [0.1])
    for layer, prefix in ((0, "d0."), (1, "")):
        labels = torch.full((len(targets.counts), NUM_INSTANCES), NUM_LOGITS - 1)
        l1 = 0
        for image, query, target in zip(matched.image, matched.query[layer], matched.target[layer], strict=True):
            labels[image, query] = COLUMNS[instances.labels[image, target]]
            l1 += (preds["instance_boxes"][layer, image, query] - instances.boxes[image, target]).abs().sum()
        expected = F.cross_entropy(preds["instance_logits"][layer].flatten(0, 1), labels.flatten(), weights)
        torch.testing.assert_close(losses[f"{prefix}loss_instance_cls"], expected)
        torch.testing.assert_close(losses[f"{prefix}loss_instance_bbox"], 5 * l1 / sum(instances.counts))


def test_costs_entry_by_entry(case):
    _, _, preds, _, assigned = case
    targets = assigned.pairs
    pointer, interaction, label = (cost()(preds, targets) for cost in (PointerCost, InteractionCost, PointedClassCost))
    for i, count in enumerate(targets.counts):
        for pair in range(count):
            verbs = [*targets.verb_labels[i, pair].bool().tolist(), False]
            for layer in range(2):
                for query in range(NUM_QUERIES):
                    at = (layer, i, query)
                    sub, obj = (preds[f"{who}_pointer_logits"][at].softmax(0) for who in ("sub", "obj"))
                    expected = -sub[targets.sub_pointers[i, pair]] - obj[targets.obj_pointers[i, pair]]
                    torch.testing.assert_close(pointer[at][pair], expected)
                    logits = torch.cat([preds["verb_logits"][at], preds["no_interaction_logits"][at]])
                    wanted, rest = logits[verbs], logits[[not verb for verb in verbs]]
                    expected = rest.mean() - (wanted.mean() if len(wanted) else 0)
                    torch.testing.assert_close(interaction[at][pair], expected)
                    if targets.has_object[i, pair]:
                        expected = -preds["obj_logits"][at].softmax(0)[targets.obj_labels[i, pair]]
                        torch.testing.assert_close(label[at][pair], expected)
                    else:
                        assert label[at][pair] == 0


def test_losses_of_pairs_entry_by_entry(case):
    head, _, preds, targets, assigned = case
    losses = head.loss(preds, targets, assigned)
    for layer, prefix in ((0, "d0."), (1, "")):
        matched = list(zip(assigned.image, assigned.query[layer], assigned.target[layer], strict=True))
        labels = torch.zeros(*preds["verb_logits"].shape[1:3], preds["verb_logits"].shape[3] + 1)
        labels[..., -1] = 1
        pointers = []
        for image, query, target in matched:
            labels[image, query] = F.pad(targets.verb_labels[image, target], (0, 1))
            logits = preds["obj_pointer_logits"][layer, image, query]
            pointers.append(F.cross_entropy(logits, assigned.pairs.obj_pointers[image, target]))
        torch.testing.assert_close(losses[f"{prefix}loss_obj_pointer"], torch.stack(pointers).mean())
        logits = torch.cat([preds["verb_logits"], preds["no_interaction_logits"]], -1)[layer]
        focal = py_sigmoid_focal_loss(logits, labels, gamma=2.0, alpha=0.25, reduction="sum")
        positives = sum(targets.verb_labels[image, target].sum() for image, _, target in matched)
        torch.testing.assert_close(losses[f"{prefix}loss_verb"], 10 * focal / positives.clamp(min=1))


def test_focal_loss_with_class_balance_is_mmdets():
    logits, labels = torch.randn(4, 6), (torch.rand(4, 6) < 0.5).float()
    ours = VerbFocalLoss(alpha=0.3, loss_weight=2.0)(logits, labels)
    torch.testing.assert_close(ours, 2 * py_sigmoid_focal_loss(logits, labels, alpha=0.3, reduction="none"))


def test_hard_losses_are_those_of_the_given_queries_only(case):
    head, _, preds, targets, assigned = case
    whole, hard = head.loss(preds, targets, assigned), head.loss(preds, targets, assigned, background=False)
    assert set(hard) == {
        f"{d}{name}" for d in ("", "d0.") for name in ("loss_sub_pointer", "loss_obj_pointer", "loss_verb")
    }
    for name, value in hard.items():
        assert value < whole[name] if "verb" in name else value == whole[name]
    others = torch.ones(preds["verb_logits"].shape[:3], dtype=torch.bool)
    assigned.put(others, torch.tensor(False))
    for name in ("verb_logits", "no_interaction_logits", "sub_pointer_logits"):
        preds[name] = torch.where(others[..., None], torch.full_like(preds[name], 7.0), preds[name])
    for name, value in head.loss(preds, targets, assigned, background=False).items():
        torch.testing.assert_close(value, hard[name])
